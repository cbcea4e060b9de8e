import {
  API_KEY_LIMITS,
  type ApiKeyListQuery,
  type ApiKeyRequest,
  AuthError,
  type Grant,
  lesserRole,
  NotFoundError,
  SCOPE_NAMES,
  type Scope,
  ValidationError,
} from '@aigolos/contracts';
import type { ApiKeyRecord, Database } from '@aigolos/db';

export interface ApiKeysDeps {
  access: Pick<
    Database['access'],
    'accountById' | 'accountOfKey' | 'countUsableKeys' | 'createKey' | 'findOwnedKey' | 'listKeys' | 'revokeKey'
  >;
}

/** Who asks, and what the key that they ask with lets them do. */
export interface KeyCaller {
  account: string;
  apiKey: string;
  grant: Grant;
  isOperator: boolean;
}

/** Keys of the caller's account; of any for an operator. Another account's key is as if it were not there. */
export interface ApiKeys {
  /**
   * A key that lets its holder do what is asked for, and no more than the caller's own.
   * @throws AuthError of what the caller may not give; ValidationError of a time that is past, or where there are enough.
   */
  create(caller: KeyCaller, request: ApiKeyRequest): Promise<{ key: string; record: ApiKeyRecord }>;
  /** @throws NotFoundError */
  get(caller: KeyCaller, id: string): Promise<ApiKeyRecord>;
  /** Newest first. `after` is the id of the last one of the page before. */
  list(caller: KeyCaller, query: ApiKeyListQuery): Promise<{ keys: ApiKeyRecord[]; hasMore: boolean }>;
  /** Harmless twice. @throws NotFoundError; AuthError of one that may do more than the caller's. */
  revoke(caller: KeyCaller, id: string): Promise<ApiKeyRecord>;
}

export function createApiKeys({ access }: ApiKeysDeps): ApiKeys {
  async function get({ account, isOperator }: KeyCaller, id: string): Promise<ApiKeyRecord> {
    const owner = isOperator ? ((await access.accountOfKey(id)) ?? account) : account;
    const key = await access.findOwnedKey(owner, id);
    if (key) return key;
    throw new NotFoundError(`There is no API key ${id}.`, { code: 'API_KEY_NOT_FOUND' });
  }

  async function assertRoom(account: string): Promise<void> {
    const { keysPerAccount: limit } = API_KEY_LIMITS;
    if ((await access.countUsableKeys(account)) < limit) return;
    throw new ValidationError(`An account has at most ${limit} API keys: revoke one first.`);
  }

  return {
    get,
    async create(caller, request) {
      const { grant, apiKey: createdBy } = caller;
      const account = ownerOf(caller, request.account);
      const owner = await access.accountById(account);
      if (!owner) throw noSuchAccount(account);
      const most = lesserRole(grant.role, owner.role ?? 'user');
      const { role = most, label } = request;
      if (lesserRole(role, most) !== role) throw beyond(`the role ${role}`, `at most ${most}`);
      await assertRoom(account);
      const scopes = scopesFor(grant, request.scopes);
      const expiresAt = expiryFor(grant, request.expires_at);
      return access.createKey({ account, role, label, scopes, expiresAt, createdBy });
    },
    async list(caller, { limit, after, account: named }) {
      const account = ownerOf(caller, named);
      const last = after === undefined ? undefined : await get(caller, after);
      const found = await access.listKeys({ account, limit: limit + 1, after: last });
      return { keys: found.slice(0, limit), hasMore: found.length > limit };
    },
    async revoke(caller, id) {
      const { _id, account, role } = await get(caller, id);
      const { role: own } = caller.grant;
      if (lesserRole(role, own) !== role) throw beyond(`a key of the role ${role}`, `at most ${own}`);
      return (await access.revokeKey(account, _id)) ?? get(caller, id);
    },
  };
}

/** @throws AuthError where somebody else's keys are meant by one who is no operator. */
function ownerOf({ account, isOperator }: KeyCaller, named = account): string {
  if (named === account || isOperator) return named;
  throw new AuthError("Another account's keys need an operator's key (role and scope admin).", {
    code: 'ACCESS_DENIED',
    param: 'account',
  });
}

/** Absent stands for all that there will ever be: only a key that has all gives that. */
function scopesFor({ scopes: own }: Grant, wanted: Scope[] | undefined): Scope[] | undefined {
  const missing = (wanted ?? []).filter((scope) => !own.includes(scope));
  if (missing.length > 0) throw beyond(`the scopes ${missing.join(', ')}`, own.join(', '));
  return wanted ?? (SCOPE_NAMES.every((scope) => own.includes(scope)) ? undefined : [...own]);
}

function expiryFor({ expiresAt: own }: Grant, seconds: number | undefined): Date | undefined {
  if (seconds === undefined) return own;
  const wanted = new Date(seconds * 1_000);
  if (wanted <= new Date()) throw new ValidationError('expires_at is past.', { param: 'expires_at' });
  if (own && wanted > own) throw beyond('a later end', `${own.toISOString()} at the latest`);
  return wanted;
}

function beyond(what: string, own: string): AuthError {
  return new AuthError(`This key cannot give ${what}: it has ${own} itself.`, { code: 'ACCESS_DENIED' });
}

function noSuchAccount(id: string): NotFoundError {
  return new NotFoundError(`There is no account ${id}.`, { code: 'ACCOUNT_NOT_FOUND', param: 'account' });
}
