import { z } from 'zod';

/** What python/asr_host.py writes, a JSON object a line; the other direction is `HostRequest`. */
const HostSegmentSchema = z.object({
  seek: z.number().int(),
  start: z.number(),
  end: z.number(),
  text: z.string(),
  tokens: z.array(z.number().int()),
  temperature: z.number(),
  avg_logprob: z.number(),
  compression_ratio: z.number(),
  no_speech_prob: z.number(),
  words: z.array(z.object({ word: z.string(), start: z.number(), end: z.number() })),
});
export type HostSegment = z.infer<typeof HostSegmentSchema>;

export const HostMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), languages: z.array(z.string()) }),
  z.object({ type: z.literal('segment'), id: z.number(), segment: HostSegmentSchema }),
  z.object({ type: z.literal('done'), id: z.number(), language: z.string().nullable() }),
  z.object({ type: z.literal('cancelled'), id: z.number() }),
  z.object({ type: z.literal('failed'), id: z.number(), message: z.string() }),
]);
export type HostMessage = z.infer<typeof HostMessageSchema>;

export interface HostRequest {
  language: string | null;
  prompt: string | null;
  temperature: number | null;
  words: boolean;
}
