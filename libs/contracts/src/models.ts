import { z } from 'zod';

export const ModelKindSchema = z.enum(['asr', 'llm', 'tts']);
export type ModelKind = z.infer<typeof ModelKindSchema>;

export const VoiceSchema = z.object({ id: z.string(), name: z.string(), language: z.string() });
export type Voice = z.infer<typeof VoiceSchema>;

/** What some models of a kind can do and others cannot: `tools` is calling functions. */
export const MODEL_CAPABILITIES = ['tools'] as const;
export type ModelCapability = (typeof MODEL_CAPABILITIES)[number];

/** A model that a worker has loaded or can load; workers announce theirs, the gateway answers from the announcements. */
export const ModelInfoSchema = z.object({
  id: z.string(),
  kind: ModelKindSchema,
  /** The one that is used where a request names an alias. One a kind. */
  isDefault: z.boolean(),
  /** ISO 639-1 codes; empty means "does not say". */
  languages: z.array(z.string()),
  voices: z.array(VoiceSchema),
  license: z.string(),
  /** Absent in announcements of earlier versions, and where there are none. */
  capabilities: z.array(z.enum(MODEL_CAPABILITIES)).optional(),
  /** Another one when the same input may get another answer; absent where that is not known. */
  version: z.string().optional(),
});
export type ModelInfo = z.infer<typeof ModelInfoSchema>;

/** Names that code written for OpenAI sends already, each standing for the default model of its kind. */
export const MODEL_ALIASES: Record<string, ModelKind> = {
  'whisper-1': 'asr',
  'gpt-4o-transcribe': 'asr',
  'gpt-4o-mini-transcribe': 'asr',
  'tts-1': 'tts',
  'tts-1-hd': 'tts',
  'gpt-4o-mini-tts': 'tts',
  'gpt-3.5-turbo': 'llm',
  'gpt-4': 'llm',
  'gpt-4-turbo': 'llm',
  'gpt-4o': 'llm',
  'gpt-4o-mini': 'llm',
  'gpt-4.1': 'llm',
  'gpt-4.1-mini': 'llm',
  'gpt-5': 'llm',
  'gpt-5-mini': 'llm',
};

/** OpenAI's voices; each stands for the model's first English voice, or its first where it has no English one. */
export const VOICE_ALIASES = [
  'alloy',
  'ash',
  'ballad',
  'cedar',
  'coral',
  'echo',
  'fable',
  'marin',
  'nova',
  'onyx',
  'sage',
  'shimmer',
  'verse',
] as const;
