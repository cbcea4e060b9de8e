import { z } from 'zod';
import { TranscriptionFormatSchema, TranscriptSegmentSchema, TranscriptWordSchema } from '../jobs/transcription.ts';
import { LIMITS } from '../limits.ts';
import { RetentionWishSchema } from '../retention.ts';
import { ChunkingStrategySchema } from './chunking-strategy.ts';
import { LanguageSchema, NameSchema } from './common.ts';

const temperatureError = 'temperature must be a number from 0 to 1';

/**
 * The form fields beside `file`. They arrive as text, so numbers and lists are read from it. Loose, so that options which
 * AIGolos does not have can be told of instead of vanishing.
 */
export const TranscriptionFieldsSchema = z.looseObject({
  model: NameSchema,
  language: LanguageSchema.optional(),
  prompt: z.string().max(LIMITS.promptCharacters).optional(),
  response_format: TranscriptionFormatSchema.default('json'),
  temperature: z.coerce
    .number({ error: temperatureError })
    .min(0, { error: temperatureError })
    .max(1, { error: temperatureError })
    .optional(),
  timestamp_granularities: z.array(z.enum(['word', 'segment'])).optional(),
  include: z.array(z.enum(['logprobs'])).optional(),
  chunking_strategy: ChunkingStrategySchema.optional(),
  stream: z.stringbool({ error: 'stream must be true or false' }).optional(),
  retention: RetentionWishSchema.optional().describe('How long what is kept, as in X-Retention (an AIGolos field)'),
});
export type TranscriptionFields = z.infer<typeof TranscriptionFieldsSchema>;

/** The whole form, as it is documented; the file is streamed to the blob store and never a value here. */
export const TranscriptionFormSchema = z
  .object({ ...TranscriptionFieldsSchema.shape, file: z.file().describe('Any container that ffmpeg reads') })
  .meta({ id: 'TranscriptionForm' });

const DurationUsageSchema = z.object({ type: z.literal('duration'), seconds: z.number() });

/** When the job, and with it its result, is deleted: Unix seconds; null where it is kept until somebody deletes it. */
const ExpiresAtSchema = z.number().int().nullable();

export const TranscriptionJsonSchema = z
  .object({ text: z.string(), usage: DurationUsageSchema, expires_at: ExpiresAtSchema })
  .meta({ id: 'Transcription' });
export type TranscriptionJson = z.infer<typeof TranscriptionJsonSchema>;

export const TranscriptionVerboseJsonSchema = z
  .object({
    task: z.enum(['transcribe', 'translate']),
    language: z.string().describe('What is spoken, as its ISO 639 code; of a translation always `english`'),
    duration: z.number(),
    text: z.string(),
    segments: z.array(TranscriptSegmentSchema).optional(),
    words: z.array(TranscriptWordSchema).optional(),
    usage: DurationUsageSchema,
    expires_at: ExpiresAtSchema,
  })
  .meta({ id: 'TranscriptionVerbose' });
export type TranscriptionVerboseJson = z.infer<typeof TranscriptionVerboseJsonSchema>;
