import { LIMITS } from '@aigolos/contracts';
import { blobConfig, intVar, mediaConfig, workerConfig } from '@aigolos/runtime';
import { z } from 'zod';

export const ConfigSchema = z.object({
  ...blobConfig,
  ...mediaConfig,
  ...workerConfig,
  ASR_ENGINE: z
    .enum(['faster-whisper', 'openai-compatible', 'test'])
    .default('faster-whisper')
    .describe('what turns speech into text'),
  ASR_MODEL: z.string().default('whisper-base').describe('catalogue id of the model, and its name to callers'),
  ASR_VAD_MODEL: z
    .string()
    .default('silero-vad')
    .describe('catalogue id of the model that finds pauses to cut long audio at; `off` cuts where it is quiet'),
  ASR_PYTHON: z.string().default('python3').describe('Python with faster-whisper, for the engine of that name'),
  ASR_THREADS: intVar.min(1).optional().describe('threads of the engine; all cores where absent'),
  ASR_BASE_URL: z.url().optional().describe('address of the openai-compatible engine, with its /v1'),
  ASR_API_KEY: z.string().optional().describe('its API key'),
  ASR_UPSTREAM_MODEL: z.string().optional().describe("its own name of the model; ASR_MODEL's where absent"),
  AUDIO_MAX_SECONDS: intVar.min(1).default(LIMITS.audioSeconds).describe('longest audio that is transcribed'),
});
export type Config = z.infer<typeof ConfigSchema>;
