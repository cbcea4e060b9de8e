import { z } from 'zod';

export const JOB_KINDS = ['transcription', 'speech', 'chat', 'response', 'export', 'erasure'] as const;
export const JobKindSchema = z.enum(JOB_KINDS);
export type JobKind = z.infer<typeof JobKindSchema>;

/** OpenAI's words. A state never goes back, except `in_progress -> queued` when a worker died, drained or asked for a retry. */
export const JOB_STATUSES = [
  'queued',
  'in_progress',
  'completed',
  'incomplete',
  'failed',
  'cancelled',
  'expired',
] as const;
export const JobStatusSchema = z.enum(JOB_STATUSES);
export type JobStatus = z.infer<typeof JobStatusSchema>;

export const FINAL_STATUSES = ['completed', 'incomplete', 'failed', 'cancelled', 'expired'] as const;
export type FinalStatus = (typeof FINAL_STATUSES)[number];

/** A state that only a later version knows is no end that this one could tell of. */
export function isFinal(status: JobStatus): status is FinalStatus {
  return FINAL_STATUSES.some((final) => final === status);
}
