import { createHash } from 'node:crypto';
import { installedModel } from '@aigolos/engines/catalogue';
import type { Config } from './config.ts';

/** To be raised with every change by which this worker makes another transcript of the same audio with the same model. */
const RECIPE = 2;

/**
 * Another one when the same audio may get another transcript: it changes with the engine, the files of the models and this
 * worker's own way. Undefined where that cannot be known, as of somebody else's server.
 */
export async function modelVersion({
  ASR_ENGINE: engine,
  ASR_MODEL: model,
  ASR_VAD_MODEL: vad,
  MODELS_DIR: modelsDir,
}: Config): Promise<string | undefined> {
  if (engine === 'openai-compatible') return undefined;
  const files = engine === 'test' ? [] : await fileHashes(model, modelsDir);
  if (!files) return undefined;
  const listener = vad === 'off' ? [] : ((await fileHashes(vad, modelsDir)) ?? []);
  const all = JSON.stringify([RECIPE, engine, files, vad, listener]);
  return createHash('sha256').update(all).digest('base64url').slice(0, 16);
}

async function fileHashes(model: string, modelsDir: string): Promise<string[] | undefined> {
  const installed = await installedModel(model, modelsDir);
  return installed?.manifest.installed.map(({ path, sha256 }) => `${path} ${sha256}`).toSorted();
}
