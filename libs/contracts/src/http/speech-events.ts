import { z } from 'zod';

/** A piece of the audio in its format, as base64; pieces are joined once each is decoded. */
const SpeechDeltaSchema = z.object({ type: z.literal('speech.audio.delta'), audio: z.string() });

/** The last one. */
const SpeechDoneSchema = z.object({
  type: z.literal('speech.audio.done'),
  usage: z.object({
    input_tokens: z.number().int().describe('Characters: voices here read one by one'),
    output_tokens: z.number().int().describe('50 a second of audio'),
    total_tokens: z.number().int(),
  }),
  expires_at: z.number().int().nullable(),
});

/** A speech as server-sent events, while it is made. */
export const SpeechEventSchema = z
  .discriminatedUnion('type', [SpeechDeltaSchema, SpeechDoneSchema])
  .meta({ id: 'SpeechEvent' });
export type SpeechEvent = z.infer<typeof SpeechEventSchema>;
