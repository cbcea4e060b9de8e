import { z } from 'zod';

export const TRANSCRIPTION_FORMATS = ['json', 'text', 'srt', 'verbose_json', 'vtt'] as const;
export const TranscriptionFormatSchema = z.enum(TRANSCRIPTION_FORMATS);
export type TranscriptionFormat = z.infer<typeof TranscriptionFormatSchema>;

/** Both come to a transcript: in the language that is spoken, or in English. */
export const TRANSCRIPT_KINDS = ['transcription', 'translation'] as const;
export type TranscriptKind = (typeof TRANSCRIPT_KINDS)[number];

/** What worker-asr is asked to do. The audio lies in the blob store under `<job id>/input`. */
export const TranscriptionTaskSchema = z.object({
  model: z.string(),
  language: z.string().optional(),
  prompt: z.string().optional(),
  temperature: z.number().optional(),
  /** The client's own choice of how the answer is written; kept so that a result fetched later has the same form. */
  responseFormat: TranscriptionFormatSchema,
  wordTimestamps: z.boolean(),
  /** Only of `verbose_json`: are segments part of the answer? Absent means yes. */
  segmentTimestamps: z.boolean().optional(),
  audio: z.object({
    blobKey: z.string(),
    bytes: z.number(),
    sha256: z.string(),
    /** As the container says; absent where it does not. The decoded length is in the result. */
    durationSeconds: z.number().optional(),
    /** Whether the container states it, so that what is missing of it was cut off. */
    statesDuration: z.boolean().optional(),
  }),
});
export type TranscriptionTask = z.infer<typeof TranscriptionTaskSchema>;

export const TranscriptWordSchema = z
  .object({ word: z.string(), start: z.number(), end: z.number() })
  .describe('A word with its start and end in seconds from the beginning of the file');
export type TranscriptWord = z.infer<typeof TranscriptWordSchema>;

/** Field names are OpenAI's (`verbose_json`); times are seconds from the beginning of the file. */
export const TranscriptSegmentSchema = z.object({
  id: z.number().int(),
  seek: z.number().int(),
  start: z.number(),
  end: z.number(),
  text: z.string(),
  tokens: z.array(z.number().int()),
  temperature: z.number(),
  avg_logprob: z.number(),
  compression_ratio: z.number(),
  no_speech_prob: z.number(),
});
export type TranscriptSegment = z.infer<typeof TranscriptSegmentSchema>;

/** All of what segments say: they bring their own spaces, where their language has any. */
export function transcriptText(segments: Pick<TranscriptSegment, 'text'>[]): string {
  return segments
    .map(({ text }) => text)
    .join('')
    .trim();
}

export const TranscriptionResultSchema = z.object({
  text: z.string(),
  language: z.string(),
  durationSeconds: z.number(),
  segments: z.array(TranscriptSegmentSchema),
  words: z.array(TranscriptWordSchema),
});
export type TranscriptionResult = z.infer<typeof TranscriptionResultSchema>;

/** Work that a later attempt need not do again: what the finished chunks of the audio said. Another version starts over. */
export const TranscriptionCheckpointSchema = z.object({
  version: z.literal(2),
  /** Everything before this second is transcribed, and the next chunk begins there. */
  doneSeconds: z.number(),
  language: z.string(),
  warnings: z.array(z.string()),
  /** Times are seconds from the beginning of the file; ids count within the chunk. */
  chunks: z.array(z.object({ segments: z.array(TranscriptSegmentSchema), words: z.array(TranscriptWordSchema) })),
});
export type TranscriptionCheckpoint = z.infer<typeof TranscriptionCheckpointSchema>;
