import { z } from 'zod';

/** Tokens as the wire has them: of audio those that Whisper hears, of text those of the model. */
const TokenUsageSchema = z.object({
  type: z.literal('tokens'),
  input_tokens: z.number().int(),
  input_token_details: z.object({ text_tokens: z.number().int(), audio_tokens: z.number().int() }),
  output_tokens: z.number().int(),
  total_tokens: z.number().int(),
});

/** What is said next. */
const TranscriptDeltaSchema = z.object({ type: z.literal('transcript.text.delta'), delta: z.string() });

/** Of `verbose_json`: a segment that is done, in seconds from the beginning of the file. */
const TranscriptSegmentEventSchema = z.object({
  type: z.literal('transcript.text.segment'),
  id: z.string(),
  start: z.number(),
  end: z.number(),
  text: z.string(),
  speaker: z.string().describe('Nobody tells speakers apart here: it is "unknown"'),
});

/** The last one, with all of the text. */
const TranscriptDoneSchema = z.object({
  type: z.literal('transcript.text.done'),
  text: z.string(),
  usage: TokenUsageSchema,
  expires_at: z.number().int().nullable(),
});

/** A transcript as server-sent events, while it is made. */
export const TranscriptEventSchema = z
  .discriminatedUnion('type', [TranscriptDeltaSchema, TranscriptSegmentEventSchema, TranscriptDoneSchema])
  .meta({ id: 'TranscriptEvent' });
export type TranscriptEvent = z.infer<typeof TranscriptEventSchema>;
