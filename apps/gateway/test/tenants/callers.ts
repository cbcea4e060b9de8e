import { SCOPE_NAMES, type Scope } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';

/** A caller who is refused, whatever is asked for, and as what. */
export interface Refused {
  who: string;
  /** What is sent as the key; absent where none is. */
  key?: string;
  status: number;
  code: string;
}

/** Keys of people who are not the owner of what is asked for. */
export interface Callers {
  owner: { account: string; key: string };
  /** Somebody else, who may do all that users may. */
  stranger: { account: string; key: string };
  /** An operator who is not the owner. */
  admin: { account: string; key: string };
  readOnly: { account: string; key: string };
  /** Those that no route takes that is not public. */
  refused: Refused[];
  /** An operator's, for everything but this. */
  without(scope: Scope): Promise<string>;
}

export async function makeCallers(access: Database['access']): Promise<Callers> {
  const caller = async (username: string, role: 'user' | 'admin' | 'read-only') => {
    const { _id: account } = await access.ensureAccount(username, role);
    return { account, key: (await access.createKey({ account, role, label: 'test' })).key };
  };
  const stranger = await caller('stranger', 'user');
  const admin = await caller('operator', 'admin');
  const keyOf = (fields: { expiresAt?: Date }) =>
    access.createKey({ account: stranger.account, role: 'user', label: 'test', ...fields });
  const revoked = await keyOf({});
  await access.revokeKey(stranger.account, revoked.record._id);
  const expired = await keyOf({ expiresAt: new Date(Date.now() - 1_000) });
  const kept = new Map<Scope, string>();
  return {
    owner: await caller('owner', 'user'),
    stranger,
    admin,
    readOnly: await caller('reader', 'read-only'),
    refused: [
      { who: 'nobody', status: 401, code: 'API_KEY_MISSING' },
      { who: 'a text that is no key', key: 'garbage', status: 401, code: 'API_KEY_INVALID' },
      { who: 'a mistyped key', key: mistyped(stranger.key), status: 401, code: 'API_KEY_MISTYPED' },
      { who: 'a revoked key', key: revoked.key, status: 401, code: 'API_KEY_REVOKED' },
      { who: 'an expired key', key: expired.key, status: 401, code: 'API_KEY_EXPIRED' },
    ],
    async without(scope) {
      const known = kept.get(scope);
      if (known) return known;
      const scopes = SCOPE_NAMES.filter((name) => name !== scope);
      const { key } = await access.createKey({ account: admin.account, role: 'admin', label: 'test', scopes });
      kept.set(scope, key);
      return key;
    },
  };
}

function mistyped(key: string): string {
  return key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
}
