import { z } from 'zod';

export const SPEECH_FORMATS = ['mp3', 'wav'] as const;
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

/** The audio lies in the blob store; its key carries the fence, so a late writer cannot overwrite the winner's. */
export const SpeechResultSchema = z.object({
  blobKey: z.string(),
  contentType: z.string(),
  bytes: z.number(),
  durationSeconds: z.number(),
});
export type SpeechResult = z.infer<typeof SpeechResultSchema>;
