import { CONVERSATION_CONTEXT_MESSAGES } from '@aigolos/contracts';
import { intVar, workerConfig } from '@aigolos/runtime';
import { z } from 'zod';

export const ConfigSchema = z.object({
  ...workerConfig,
  LLM_ENGINE: z
    .enum(['node-llama-cpp', 'openai-compatible', 'test'])
    .default('node-llama-cpp')
    .describe('what answers messages'),
  LLM_MODEL: z.string().default('smollm2-135m-instruct').describe('catalogue id of the model, and its name to callers'),
  CONVERSATION_CONTEXT_MESSAGES: intVar
    .min(0)
    .max(1_000)
    .default(CONVERSATION_CONTEXT_MESSAGES)
    .describe("how many of a conversation's last messages stand before a new one"),
  LLM_CONTEXT_TOKENS: intVar.min(512).default(4_096).describe('context of one answer, in tokens'),
  LLM_THREADS: intVar.min(1).optional().describe('threads of the engine; half of the cores where absent'),
  LLM_BASE_URL: z.url().optional().describe('address of the openai-compatible engine, with its /v1'),
  LLM_API_KEY: z.string().optional().describe('its API key'),
  LLM_UPSTREAM_MODEL: z.string().optional().describe("its own name of the model; LLM_MODEL's where absent"),
});
export type Config = z.infer<typeof ConfigSchema>;
