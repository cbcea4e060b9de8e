import { join } from 'node:path';
import {
  createNodeLlamaCppEngine,
  createOpenAICompatibleLlmEngine,
  createTestLlmEngine,
  type LlmEngine,
} from '@aigolos/engines/llm';
import { type Logger, requiredSetting } from '@aigolos/runtime';
import type { Config } from './config.ts';

/** The engine that the configuration names. */
export async function createEngine(config: Config, log: Logger): Promise<LlmEngine> {
  const model = config.LLM_MODEL;
  switch (config.LLM_ENGINE) {
    case 'node-llama-cpp':
      return createNodeLlamaCppEngine({
        model,
        modelPath: join(config.MODELS_DIR, model, 'model.gguf'),
        contextTokens: config.LLM_CONTEXT_TOKENS,
        sequences: config.CONCURRENCY,
        threads: config.LLM_THREADS,
        log,
      });
    case 'openai-compatible':
      return createOpenAICompatibleLlmEngine({
        baseUrl: requiredSetting(config.LLM_BASE_URL, 'LLM_BASE_URL', 'LLM_ENGINE=openai-compatible'),
        apiKey: config.LLM_API_KEY,
        viaProxy: config.NODE_USE_ENV_PROXY === '1',
        model,
        upstreamModel: config.LLM_UPSTREAM_MODEL ?? model,
      });
    case 'test':
      return createTestLlmEngine({ paceMsPerToken: config.TEST_ENGINE_PACE_MS });
  }
}
