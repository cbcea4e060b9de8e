import { z } from 'zod';
import { SpeechFormatSchema } from '../jobs/speech.ts';
import { LIMITS } from '../limits.ts';
import { RetentionWishSchema } from '../retention.ts';
import { countCharacters, NameSchema, numberBetween } from './common.ts';

/** Loose, so that options which AIGolos does not have can be told of instead of vanishing. */
export const SpeechRequestSchema = z
  .looseObject({
    model: NameSchema,
    input: z.string().superRefine((text, context) => {
      const length = countCharacters(text);
      if (text.trim() === '' || length > LIMITS.speechCharacters) {
        context.addIssue(
          `input must have 1 to ${LIMITS.speechCharacters} characters that can be spoken, this one has ${text.trim() === '' ? 0 : length}`,
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
      .literal('audio', { error: 'stream_format must be "audio": the sound itself is streamed, not events' })
      .optional(),
    retention: RetentionWishSchema.nullish().describe('How long what is kept, as in X-Retention (an AIGolos field)'),
  })
  .meta({ id: 'SpeechRequest' });
export type SpeechRequest = z.infer<typeof SpeechRequestSchema>;
