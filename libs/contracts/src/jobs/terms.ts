import { z } from 'zod';

/** An order between the jobs of one account, not between accounts: a job of low priority waits longer, but not for ever. */
export const JOB_PRIORITIES = ['low', 'default', 'high'] as const;
export const JobPrioritySchema = z.enum(JOB_PRIORITIES, { error: `must be one of ${JOB_PRIORITIES.join(', ')}` });
export type JobPriority = z.infer<typeof JobPrioritySchema>;

/** How an attempt ended: with the end of its job, or with the job back in its queue. */
export const ATTEMPT_OUTCOMES = [
  'completed',
  'incomplete',
  'failed',
  'cancelled',
  'expired',
  /** Failed, and is tried again. */
  'retried',
  /** Its step is done, and the job went on to the queue of the next. */
  'handed_over',
  /** Its process was told to stop. */
  'drained',
  /** Its process died, or could not renew its lease. */
  'vanished',
] as const;
export type AttemptOutcomeName = (typeof ATTEMPT_OUTCOMES)[number];
