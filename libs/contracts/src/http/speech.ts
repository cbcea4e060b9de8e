import { z } from 'zod';
import { SpeechFormatSchema, SpeechTimingsSchema } from '../jobs/speech.ts';
import { LIMITS } from '../limits.ts';
import { RetentionWishSchema } from '../retention.ts';
import { countCharacters, NameSchema, numberBetween } from './common.ts';

/** Loose, so that options which AIGolos does not have can be told of instead of vanishing. */
export const SpeechRequestSchema = z
  .looseObject({
    model: NameSchema,
    input: z.string().superRefine((text, context) => {
      const length = countCharacters(text);
      if (text.trim() === '' || length > LIMITS.longSpeechCharacters) {
        context.addIssue(
          `input must have 1 to ${LIMITS.longSpeechCharacters} characters that can be spoken, this one has ${text.trim() === '' ? 0 : length}`,
        );
      }
    }),
    voice: z.union([NameSchema, z.object({ id: NameSchema })], {
      error:
        'voice is required: the id of a voice (GET /v1/audio/voices lists them) or one of the OpenAI names such as "alloy"',
    }),
    response_format: SpeechFormatSchema.default('mp3'),
    speed: numberBetween('speed', LIMITS.speedMin, LIMITS.speedMax).default(1),
    instructions: z.string().max(4_096).optional(),
    stream_format: z
      .enum(['audio', 'sse'], { error: 'stream_format must be "audio", the sound itself, or "sse", events with it' })
      .optional(),
    timestamps: z
      .boolean()
      .optional()
      .describe(
        'Changes nothing (an AIGolos field): when what is said is always kept, as /v1/jobs/{id}/result tells by Accept',
      ),
    retention: RetentionWishSchema.nullish().describe('How long what is kept, as in X-Retention (an AIGolos field)'),
  })
  .meta({ id: 'SpeechRequest' });
export type SpeechRequest = z.infer<typeof SpeechRequestSchema>;

/** When what is heard, for those who ask for a speech job's result as JSON. */
export const SpeechTimingsViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('audio.speech.timings'),
    duration: z.number().describe('Length of the audio in seconds'),
    ...SpeechTimingsSchema.pick({ sentences: true, chapters: true }).shape,
    expires_at: z.number().int().nullable(),
  })
  .meta({ id: 'SpeechTimings' });
export type SpeechTimingsView = z.infer<typeof SpeechTimingsViewSchema>;
