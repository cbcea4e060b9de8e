import type { FinalStatus, JobUsage } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { invalidateJob } from './cached.ts';
import type { JobsDeps } from './deps.ts';
import { expiryOf } from './expiry.ts';
import { settleQuota } from './quotas.ts';
import { wakeNextTurn } from './turns.ts';

export type EndedJob = Pick<JobRecord, '_id' | 'account' | 'fence' | 'conversation' | 'turn' | 'reservation'>;

/**
 * What follows the end of a job, whoever wrote it: its account's limits have room again, those who watch are told, and the next
 * turn of its conversation goes on.
 */
export async function tellEnd(
  deps: JobsDeps,
  job: EndedJob,
  end: { status: FinalStatus; usage?: JobUsage | undefined },
): Promise<void> {
  await Promise.all([invalidateJob(deps.cache, job), settleQuota(deps, job, end)]);
  await Promise.all([deps.live.publish(job._id, { type: 'finished', fence: job.fence }), wakeNextTurn(deps, job)]);
}

/** Ends a job that missed its deadline while nobody works on it. @returns false where somebody else changed it meanwhile. */
export async function expireJob(
  deps: JobsDeps,
  job: EndedJob & Pick<JobRecord, 'kind' | 'status' | 'retention'>,
): Promise<boolean> {
  if (!(await deps.db.jobs.expire(job, expiryOf(job, 'expired', new Date())))) return false;
  await tellEnd(deps, job, { status: 'expired' });
  return true;
}
