import type { ErasureView } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import { unixSeconds } from '../../answers/job-view.ts';
import type { Erasure } from './erasures.service.ts';

const PENDING_SHOWN = 100;

/** An erasure as its owner sees it. */
export async function toErasureView(db: Pick<Database, 'erasures'>, erasure: Erasure): Promise<ErasureView> {
  const { _id: id, status, account, task, result, warnings, attempt } = erasure;
  const postponed = result ? [] : await db.erasures.postponed(id, PENDING_SHOWN);
  return {
    id,
    object: 'erasure',
    status,
    account,
    scope: task.scope,
    created_at: unixSeconds(erasure.createdAt),
    finished_at: erasure.finishedAt ? unixSeconds(erasure.finishedAt) : null,
    expires_at: erasure.expiresAt ? unixSeconds(erasure.expiresAt) : null,
    priority: erasure.priority ?? 'default',
    attempt,
    removed: result?.removed ?? null,
    pending: postponed.map(({ item, reason, attempts }) => ({ what: item, reason, attempts })),
    receipt: result?.receipt ?? null,
    warnings,
  };
}
