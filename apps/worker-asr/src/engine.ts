import { join } from 'node:path';
import {
  type AsrEngine,
  createFasterWhisperEngine,
  createOpenAICompatibleAsrEngine,
  createTestAsrEngine,
} from '@aigolos/engines/asr';
import { type Logger, requiredSetting } from '@aigolos/runtime';
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
      return createOpenAICompatibleAsrEngine({
        baseUrl: requiredSetting(config.ASR_BASE_URL, 'ASR_BASE_URL', 'ASR_ENGINE=openai-compatible'),
        apiKey: config.ASR_API_KEY,
        viaProxy: config.NODE_USE_ENV_PROXY === '1',
        model,
        upstreamModel: config.ASR_UPSTREAM_MODEL ?? model,
      });
    case 'test':
      return createTestAsrEngine({ paceMsPerAudioSecond: config.TEST_ENGINE_PACE_MS });
  }
}
