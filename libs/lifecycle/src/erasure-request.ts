import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_RETENTION, ERASURE_RECORD_SECONDS, type ErasureScope, newId } from '@aigolos/contracts';
import { type Database, type JobRecord, newJobRecord } from '@aigolos/db';

/** An erasure of this that is under way. */
export async function findOpenErasure(
  { db }: { db: Pick<Database, 'jobs'> },
  account: string,
  scope: ErasureScope,
): Promise<JobRecord<'erasure'> | undefined> {
  return (await db.jobs.openErasures(account)).find(({ task }) => isDeepStrictEqual(task.scope, scope));
}

/** Promises an erasure: from here on it is done whatever dies, be it by the caller, who runs it, or by worker-maintenance. */
export async function requestErasure(
  { db }: { db: Pick<Database, 'jobs'> },
  account: string,
  scope: ErasureScope,
): Promise<JobRecord<'erasure'>> {
  const erasure = newJobRecord({
    _id: newId('erasure'),
    kind: 'erasure',
    account,
    task: { scope },
    retention: { ...DEFAULT_RETENTION, result: ERASURE_RECORD_SECONDS },
  });
  await db.jobs.insert(erasure);
  return erasure;
}
