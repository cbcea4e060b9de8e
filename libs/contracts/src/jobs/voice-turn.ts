import { z } from 'zod';
import { ChatResultSchema } from './chat.ts';
import { SpeechFormatSchema, SpeechResultSchema } from './speech.ts';
import { TranscriptionTaskSchema } from './transcription.ts';
import { JobUsageSchema } from './usage.ts';

/** What a voice turn is done in, one after another, each on the queue of the engine that it needs. */
export const VOICE_TURN_STEPS = ['transcribe', 'answer', 'speak'] as const;
export const JobStepSchema = z.enum(VOICE_TURN_STEPS);
/** The step that a job of several steps is at, or waits for. */
export type JobStep = z.infer<typeof JobStepSchema>;

/** What the workers are asked to do: hear what was said, answer it, and say the answer. */
export const VoiceTurnTaskSchema = z.object({
  /** What answers. */
  model: z.string(),
  instructions: z.string().optional(),
  maxTokens: z.number().int().optional(),
  transcription: TranscriptionTaskSchema.pick({ model: true, language: true, prompt: true }),
  speech: z.object({ model: z.string(), voice: z.string(), format: SpeechFormatSchema, speed: z.number() }),
  /** It lies in the blob store under `<job id>/input`. */
  audio: TranscriptionTaskSchema.shape.audio,
  /** Id of the conversation that this is a turn of. */
  conversation: z.string().optional(),
});
export type VoiceTurnTask = z.infer<typeof VoiceTurnTaskSchema>;

const TranscriptSchema = z.object({ text: z.string(), language: z.string(), durationSeconds: z.number() });

export const VoiceTurnResultSchema = z.object({
  transcript: TranscriptSchema,
  answer: ChatResultSchema,
  speech: SpeechResultSchema,
});
export type VoiceTurnResult = z.infer<typeof VoiceTurnResultSchema>;

/** What the steps before have made, and how far the one that is under way has come. Another version starts over. */
export const VoiceTurnCheckpointSchema = z.object({
  version: z.literal(1),
  transcript: TranscriptSchema.optional(),
  answer: ChatResultSchema.optional(),
  /** Of the steps that are done, together. */
  usage: JobUsageSchema,
  warnings: z.array(z.string()),
  /** The checkpoint of the step that is under way; its shape is the step's. */
  within: z.unknown().optional(),
});
export type VoiceTurnCheckpoint = z.infer<typeof VoiceTurnCheckpointSchema>;
