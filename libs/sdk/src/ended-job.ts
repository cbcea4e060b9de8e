import type { FinalStatus, JobView } from '@aigolos/contracts';

/** A job that goes no further. */
export type EndedJob = JobView & { status: FinalStatus };

/** By its time: a later version may know ends that this one cannot name. */
export function hasEnded(job: JobView): job is EndedJob {
  return job.finished_at !== null;
}
