import { join } from 'node:path';
import { AIGolosError } from '@aigolos/contracts';
import {
  type AsrEngine,
  createFasterWhisperEngine,
  createOpenAICompatibleAsrEngine,
  createTestAsrEngine,
} from '@aigolos/engines/asr';
import type { Logger } from '@aigolos/runtime';
import type { Config } from './config.ts';

/** The engine that the configuration names. */
export async function createEngine(config: Config, log: Logger): Promise<AsrEngine> {
  const model = config.ASR_MODEL;
  switch (config.ASR_ENGINE) {
    case 'faster-whisper':
      return createFasterWhisperEngine({
        model,
        modelDir: join(config.MODELS_DIR, model),
        pythonPath: config.ASR_PYTHON,
        threads: config.ASR_THREADS,
        log,
      });
    case 'openai-compatible':
      if (!config.ASR_BASE_URL) {
        throw new AIGolosError('ASR_BASE_URL must be set for ASR_ENGINE=openai-compatible.', {
          code: 'CONFIG_INVALID',
        });
      }
      return createOpenAICompatibleAsrEngine({
        baseUrl: config.ASR_BASE_URL,
        apiKey: config.ASR_API_KEY,
        model,
        upstreamModel: config.ASR_UPSTREAM_MODEL ?? model,
      });
    case 'test':
      return createTestAsrEngine({ paceMsPerAudioSecond: config.TEST_ENGINE_PACE_MS });
  }
}
