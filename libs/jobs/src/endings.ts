import type { JobRecord } from '@aigolos/db';
import { invalidateJob } from './cached.ts';
import type { JobsDeps } from './deps.ts';
import { expiryOf } from './expiry.ts';
import { wakeNextTurn } from './turns.ts';

export type EndedJob = Pick<JobRecord, '_id' | 'account' | 'fence' | 'conversation' | 'turn'>;

/** What follows the end of a job, whoever wrote it: those who watch are told, and the next turn of its conversation goes on. */
export async function tellEnd(deps: JobsDeps, job: EndedJob): Promise<void> {
  await invalidateJob(deps.cache, job);
  await Promise.all([deps.live.publish(job._id, { type: 'finished', fence: job.fence }), wakeNextTurn(deps, job)]);
}

/** Ends a job that missed its deadline while nobody works on it. @returns false where somebody else changed it meanwhile. */
export async function expireJob(
  deps: JobsDeps,
  job: EndedJob & Pick<JobRecord, 'kind' | 'status' | 'retention'>,
): Promise<boolean> {
  if (!(await deps.db.jobs.expire(job, expiryOf(job, 'expired', new Date())))) return false;
  await tellEnd(deps, job);
  return true;
}
