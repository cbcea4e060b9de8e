import { join } from 'node:path';
import { catalogueModel } from '@aigolos/engines/catalogue';
import {
  createEspeakEngine,
  createOpenAICompatibleTtsEngine,
  createPiperEngine,
  createTestTtsEngine,
  type TtsEngine,
} from '@aigolos/engines/tts';
import { type Logger, requiredSetting } from '@aigolos/runtime';
import type { Config } from './config.ts';

/** The engines that the configuration names, in its order. */
export async function createEngines(config: Config, log: Logger): Promise<TtsEngine[]> {
  return Promise.all(config.TTS_ENGINE.map((name) => createEngine(name, config, log)));
}

async function createEngine(name: Config['TTS_ENGINE'][number], config: Config, log: Logger): Promise<TtsEngine> {
  const model = config.TTS_MODEL;
  switch (name) {
    case 'piper':
      return createPiperEngine({
        model,
        modelDir: join(config.MODELS_DIR, model),
        espeakDataDir: join(config.MODELS_DIR, 'espeak-ng-data', 'espeak-ng-data'),
        voices: catalogueModel(model).voices,
        threads: config.TTS_THREADS,
        log,
      });
    case 'espeak':
      return createEspeakEngine({ espeakPath: config.ESPEAK_PATH, log });
    case 'openai-compatible':
      return createOpenAICompatibleTtsEngine({
        baseUrl: requiredSetting(config.TTS_BASE_URL, 'TTS_BASE_URL', 'TTS_ENGINE=openai-compatible'),
        apiKey: config.TTS_API_KEY,
        viaProxy: config.NODE_USE_ENV_PROXY === '1',
        model,
        upstreamModel: config.TTS_UPSTREAM_MODEL ?? model,
        voices: config.TTS_UPSTREAM_VOICES.map((id) => ({ id, name: id, language: 'en' })),
      });
    case 'test':
      return createTestTtsEngine({ paceMsPerCharacter: config.TEST_ENGINE_PACE_MS });
  }
}
