import { isDeepStrictEqual } from 'node:util';
import {
  DEFAULT_RETENTION,
  ERASURE_RECORD_SECONDS,
  type ErasureScope,
  type JobPriority,
  newId,
} from '@aigolos/contracts';
import { type Database, type JobRecord, newJobRecord } from '@aigolos/db';

export interface ErasureTerms {
  /** Where its end is to be told, beside the account's endpoints. */
  webhookUrl?: string | undefined;
  priority?: JobPriority | undefined;
}

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
  { scope, webhookUrl, priority }: { scope: ErasureScope } & ErasureTerms,
): Promise<JobRecord<'erasure'>> {
  const erasure = newJobRecord({
    _id: newId('erasure'),
    kind: 'erasure',
    account,
    task: { scope },
    ...(webhookUrl !== undefined && { webhookUrl }),
    ...(priority && { priority }),
    retention: { ...DEFAULT_RETENTION, result: ERASURE_RECORD_SECONDS },
  });
  await db.jobs.insert(erasure);
  return erasure;
}
