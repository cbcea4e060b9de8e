import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@aigolos/runtime';
import { MODELS_DIR } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeTtsEngine } from '../conformance/tts-engine.ts';
import { createPiperEngine, type PiperOptions } from './piper-engine.ts';

const options: PiperOptions = {
  model: 'piper-en_US-joe-medium',
  modelDir: join(MODELS_DIR, 'piper-en_US-joe-medium'),
  espeakDataDir: join(MODELS_DIR, 'espeak-ng-data', 'espeak-ng-data'),
  voices: [{ id: 'joe', name: 'Joe', language: 'en-US' }],
  log: createLogger({ service: 'test', level: 'silent' }),
};

describeTtsEngine('Piper', () => createPiperEngine(options));

describe('createPiperEngine', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aigolos-piper-'));
    await copyFile(join(options.modelDir, 'tokens.txt'), join(folder, 'tokens.txt'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('a missing model is named, with the remedy', async () => {
    await expect(createPiperEngine({ ...options, modelDir: folder })).rejects.toMatchObject({
      name: 'TtsServiceError',
      code: 'TTS_ENGINE_FAILED',
      retryable: false,
      message: expect.stringMatching(/model\.onnx is missing.*aigolos models pull piper-en_US-joe-medium/),
    });
  });

  test('so is the missing data of espeak-ng', async () => {
    await expect(createPiperEngine({ ...options, espeakDataDir: folder })).rejects.toMatchObject({
      message: expect.stringMatching(/phontab is missing.*aigolos models pull espeak-ng-data/),
    });
  });

  test('a model without the metadata of sherpa-onnx is refused instead of ending the process', async () => {
    await writeFile(join(folder, 'model.onnx'), 'a model');
    await expect(createPiperEngine({ ...options, modelDir: folder })).rejects.toMatchObject({
      message: expect.stringContaining('not prepared for sherpa-onnx'),
    });
  });

  test('a damaged model is refused', async () => {
    await writeFile(join(folder, 'model.onnx'), 'a model with a sample_rate and nothing else');
    await expect(createPiperEngine({ ...options, modelDir: folder })).rejects.toMatchObject({
      message: expect.stringMatching(/cannot be loaded.*aigolos models verify/),
    });
  });
});
