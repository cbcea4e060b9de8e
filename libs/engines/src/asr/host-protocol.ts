import { TranscriptSegmentSchema, TranscriptWordSchema } from '@aigolos/contracts';
import { z } from 'zod';
import type { AsrTask } from './asr-engine.ts';

/** What python/asr_host.py writes, a JSON object a line; the other direction is `HostRequest`. */
const HostSegmentSchema = TranscriptSegmentSchema.omit({ id: true }).extend({ words: z.array(TranscriptWordSchema) });
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
  task: AsrTask;
  language: string | null;
  prompt: string | null;
  temperature: number | null;
  words: boolean;
}
