import { z } from 'zod';
import { JobPrioritySchema } from './terms.ts';

/** Whose share of a queue a job takes, as what, and how much of it: see `costOf`. */
export const QueueShareSchema = z.object({
  account: z.string(),
  priority: JobPrioritySchema,
  cost: z.number().int().min(1),
});
export type QueueShare = z.infer<typeof QueueShareSchema>;

/**
 * What travels through Redis: an id, never content. The record decides everything else, so a payload of an earlier version
 * (without `v`) and one of a later version (a greater `v`, more fields) are handled alike, by their id.
 */
export const QueuePayloadSchema = z.object({ v: z.number().optional(), jobId: z.string().min(1) });
export type QueuePayload = z.infer<typeof QueuePayloadSchema> & { share?: QueueShare };
export const QUEUE_PAYLOAD_VERSION = 1;
