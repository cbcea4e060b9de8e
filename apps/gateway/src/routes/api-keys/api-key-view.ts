import { type ApiKeyView, SCOPE_NAMES } from '@aigolos/contracts';
import type { ApiKeyRecord } from '@aigolos/db';
import { unixSeconds } from '../../answers/job-view.ts';

/** A key as its account sees it: never its hash. */
export function toApiKeyView(key: ApiKeyRecord): ApiKeyView {
  const { _id: id, account, label, role, scopes = SCOPE_NAMES, createdBy } = key;
  const at = (time: Date | undefined) => (time ? unixSeconds(time) : null);
  return {
    id,
    object: 'api_key',
    account,
    label,
    role,
    scopes: [...scopes],
    created_at: unixSeconds(key.createdAt),
    created_by: createdBy ?? null,
    expires_at: at(key.expiresAt),
    last_used_at: at(key.lastUsedAt),
    revoked_at: at(key.revokedAt),
  };
}
