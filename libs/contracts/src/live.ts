import { z } from 'zod';

/**
 * What a running job tells those who watch it. Short-lived and capped; the truth is the job's record.
 * `fence` tells attempts apart: a delta of a later attempt begins the text anew.
 */
export const LiveEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('delta'),
    fence: z.number().int(),
    text: z.string(),
    /** Where in the text of its attempt it begins, in UTF-16 units; absent from workers of earlier versions. */
    offset: z.number().int().optional(),
  }),
  /** The record holds a new checkpoint. */
  z.object({ type: z.literal('checkpoint'), fence: z.number().int() }),
  /** It was taken by a worker, or given back to a queue: the record says which. */
  z.object({ type: z.literal('changed'), fence: z.number().int() }),
  z.object({ type: z.literal('finished'), fence: z.number().int() }),
]);
export type LiveEvent = z.infer<typeof LiveEventSchema>;
