import { z } from 'zod';

export const SPEECH_FORMATS = ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'] as const;
export const SpeechFormatSchema = z.enum(SPEECH_FORMATS);
export type SpeechFormat = z.infer<typeof SpeechFormatSchema>;

/** What worker-tts is asked to do. */
export const SpeechTaskSchema = z.object({
  model: z.string(),
  voice: z.string(),
  input: z.string(),
  format: SpeechFormatSchema,
  speed: z.number(),
});
export type SpeechTask = z.infer<typeof SpeechTaskSchema>;

/** The files of a result lie in the blob store; their keys carry the fence, so a late writer cannot overwrite the winner's. */
export const SpeechResultSchema = z.object({
  blobKey: z.string(),
  contentType: z.string(),
  bytes: z.number(),
  durationSeconds: z.number(),
  /** A file with `SpeechTimings`; absent in results of earlier versions. */
  timings: z.object({ blobKey: z.string(), bytes: z.number() }).optional(),
  /** The fence of the attempt that its first part is of; absent where nothing was kept on the way. */
  begunBy: z.number().int().optional(),
});
export type SpeechResult = z.infer<typeof SpeechResultSchema>;

const span = {
  start: z.number().describe('Seconds from the beginning of the audio'),
  end: z.number().describe('Seconds from the beginning of the audio'),
};

/** What of the text is heard when. Sentences are in order and without gaps, as far as they can be heard. */
export const SpeechTimingsSchema = z.object({
  version: z.literal(1),
  durationSeconds: z.number(),
  sentences: z.array(z.object({ text: z.string(), ...span })),
  /** Where the text has headings. Each ends where the next begins, the last with the audio. */
  chapters: z.array(z.object({ title: z.string(), ...span })),
});
export type SpeechTimings = z.infer<typeof SpeechTimingsSchema>;

/** A group of sentences that was spoken and kept: mono s16le PCM in the blob store. */
export const SpeechPartSchema = z.object({
  blobKey: z.string(),
  samples: z.number().int(),
  /** Samples of each of its sentences, in order. */
  sentences: z.array(z.number().int()),
  /** Where in the text its last sentence ends, in UTF-16 units. */
  textEnd: z.number().int(),
});
export type SpeechPart = z.infer<typeof SpeechPartSchema>;

/** Work that a later attempt need not do again. A version that is not known here is not gone on from. */
export const SpeechCheckpointSchema = z.object({
  version: z.literal(1),
  sampleRateHz: z.number().int(),
  /** The fence of the attempt that spoke the first part. While it is the same, parts are added and none changes. */
  begunBy: z.number().int(),
  /** From the beginning of the text, in order. */
  parts: z.array(SpeechPartSchema),
  /** Of all attempts whose parts these are. */
  computeMs: z.number(),
});
export type SpeechCheckpoint = z.infer<typeof SpeechCheckpointSchema>;

/** Parts lie here, beside the files that stay: they are gone once their job has ended. */
export const speechPartPrefix = (jobId: string): string => `${jobId}/part-`;
