import { blobConfig, intVar, mediaConfig, workerConfig } from '@aigolos/runtime';
import { z } from 'zod';

const ENGINES = ['piper', 'espeak', 'openai-compatible', 'test'] as const;

export const ConfigSchema = z.object({
  ...blobConfig,
  ...mediaConfig,
  ...workerConfig,
  TTS_ENGINE: z
    .string()
    .default('piper')
    .transform((list) => list.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(ENGINES)).min(1))
    .describe(`what speaks, the first by default: a list of ${ENGINES.join(', ')}`),
  TTS_MODEL: z.string().default('piper-en_US-joe-medium').describe('catalogue id of the piper or upstream model'),
  TTS_THREADS: intVar.min(1).optional().describe('threads of the engine; half of the cores where absent'),
  ESPEAK_PATH: z.string().default('espeak-ng').describe('the espeak-ng program'),
  TTS_BASE_URL: z.url().optional().describe('address of the openai-compatible engine, with its /v1'),
  TTS_API_KEY: z.string().optional().describe('its API key'),
  TTS_UPSTREAM_MODEL: z.string().optional().describe("its own name of the model; TTS_MODEL's where absent"),
  TTS_UPSTREAM_VOICES: z
    .string()
    .default('alloy')
    .transform((list) => list.split(','))
    .describe('voices of the openai-compatible engine'),
});
export type Config = z.infer<typeof ConfigSchema>;
