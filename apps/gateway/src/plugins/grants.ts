import { AuthError, type Grant, lesserRole, SCOPE_NAMES, SCOPES, type Scope } from '@aigolos/contracts';
import type { KeyHolder } from '@aigolos/db';

/** What a key lets its holder do: no more than its account may. */
export function grantOf({ key, account }: KeyHolder): Grant {
  const { scopes = SCOPE_NAMES, expiresAt } = key;
  return { role: lesserRole(key.role, account.role ?? 'user'), scopes, expiresAt };
}

/** Why a key that is known is refused all the same; undefined where it is not. */
export function whyRefused({ key, account }: KeyHolder): AuthError | undefined {
  const { _id: id, revokedAt, expiresAt } = key;
  if (revokedAt) return keyRevoked(`API key ${id}`);
  if (expiresAt && expiresAt <= new Date()) {
    return new AuthError(`API key ${id} expired at ${expiresAt.toISOString()}: ask for another one.`, {
      code: 'API_KEY_EXPIRED',
    });
  }
  if (!account.disabledAt) return undefined;
  return new AuthError('This account is disabled: its operator can enable it again.', { code: 'ACCOUNT_DISABLED' });
}

export function keyRevoked(key: string): AuthError {
  return new AuthError(`${key} was revoked: ask for another one.`, { code: 'API_KEY_REVOKED' });
}

/** @throws AuthError where the key is not for this. */
export function assertScope({ scopes }: Grant, scope: Scope): void {
  if (scopes.includes(scope)) return;
  throw new AuthError(
    `This needs a key with the scope ${scope} (${SCOPES[scope]}); this one has ${scopes.join(', ')}.`,
    {
      code: 'INSUFFICIENT_SCOPE',
    },
  );
}

/** May it look after accounts that are not its own? */
export function isOperator({ role, scopes }: Grant): boolean {
  return role === 'admin' && scopes.includes('admin');
}
