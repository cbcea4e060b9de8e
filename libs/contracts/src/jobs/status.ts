import { z } from 'zod';

export const JOB_KINDS = [
  'transcription',
  'translation',
  'speech',
  'chat',
  'response',
  'voice-turn',
  'batch',
  'export',
  'erasure',
] as const;
export const JobKindSchema = z.enum(JOB_KINDS);
export type JobKind = z.infer<typeof JobKindSchema>;

/** Kinds that a conversation can be made of. */
const TURN_KINDS = ['chat', 'response', 'voice-turn'] as const satisfies readonly JobKind[];

export function isTurnKind(kind: JobKind): kind is (typeof TURN_KINDS)[number] {
  return TURN_KINDS.some((one) => one === kind);
}

/** OpenAI's words. A state never goes back, except `in_progress -> queued` when a worker died, drained, asked for a retry or ended a step. */
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
