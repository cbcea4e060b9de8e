import { z } from 'zod';
import { SpeechFormatSchema } from '../jobs/speech.ts';
import { LIMITS } from '../limits.ts';

export const SpeechRequestSchema = z
  .object({
    model: z.string().min(1),
    input: z.string().superRefine((text, context) => {
      const length = [...text].length;
      if (text.trim() === '' || length > LIMITS.speechCharacters) {
        context.addIssue(
          `input must have 1 to ${LIMITS.speechCharacters} characters that can be spoken, this one has ${text.trim() === '' ? 0 : length}`,
        );
      }
    }),
    voice: z.union([z.string().min(1), z.object({ id: z.string().min(1) })]),
    response_format: SpeechFormatSchema.default('mp3'),
    speed: z.number().min(LIMITS.speedMin).max(LIMITS.speedMax).default(1),
    instructions: z.string().max(4_096).optional(),
    stream_format: z.literal('audio').optional(),
  })
  .meta({ id: 'SpeechRequest' });
export type SpeechRequest = z.infer<typeof SpeechRequestSchema>;
