import { z } from 'zod';
import { TranscriptSegmentSchema, TranscriptWordSchema } from '../jobs/transcription.ts';
import { LIMITS } from '../limits.ts';
import { LanguageSchema } from './common.ts';

export const TRANSCRIPTION_FORMATS = ['json', 'text', 'verbose_json'] as const;

/** The form fields beside `file`. They arrive as text, so numbers and lists are read from it. */
export const TranscriptionFieldsSchema = z
  .object({
    model: z.string().min(1),
    language: LanguageSchema.optional(),
    prompt: z.string().max(LIMITS.promptCharacters).optional(),
    response_format: z.enum(TRANSCRIPTION_FORMATS).default('json'),
    temperature: z.coerce.number().min(0).max(1).optional(),
    timestamp_granularities: z.array(z.enum(['word', 'segment'])).optional(),
  })
  .meta({ id: 'TranscriptionRequest' });
export type TranscriptionFields = z.infer<typeof TranscriptionFieldsSchema>;

const DurationUsageSchema = z.object({ type: z.literal('duration'), seconds: z.number() });

export const TranscriptionJsonSchema = z
  .object({ text: z.string(), usage: DurationUsageSchema })
  .meta({ id: 'Transcription' });
export type TranscriptionJson = z.infer<typeof TranscriptionJsonSchema>;

export const TranscriptionVerboseJsonSchema = z
  .object({
    task: z.literal('transcribe'),
    language: z.string(),
    duration: z.number(),
    text: z.string(),
    segments: z.array(TranscriptSegmentSchema).optional(),
    words: z.array(TranscriptWordSchema).optional(),
    usage: DurationUsageSchema,
  })
  .meta({ id: 'TranscriptionVerbose' });
export type TranscriptionVerboseJson = z.infer<typeof TranscriptionVerboseJsonSchema>;
