import { catalogueModel, installedModel, MODEL_CATALOGUE, pullModel } from '@aigolos/engines/catalogue';
import type { CliConfig } from '../config.ts';
import type { Reporter } from '../output/reporter.ts';

/** Ids of these models and of what they need beside them, each once, what is needed first. */
export function withRequirements(ids: string[]): string[] {
  return [...new Set(ids.flatMap((id) => [...(catalogueModel(id).requires ?? []), id]))];
}

/** The models that the configured engines load. A model that the catalogue does not hold is the user's own affair. */
export function configuredModels({ env }: CliConfig): string[] {
  const speaks = env.TTS_ENGINE?.split(',').map((name) => name.trim()) ?? ['piper'];
  const ids = [
    ...(env.ASR_ENGINE === 'faster-whisper' ? [env.ASR_MODEL] : []),
    ...(env.LLM_ENGINE === 'node-llama-cpp' ? [env.LLM_MODEL] : []),
    ...(speaks.includes('piper') ? [env.TTS_MODEL] : []),
  ];
  return withRequirements(ids.filter((id) => MODEL_CATALOGUE.some((model) => model.id === id)));
}

/**
 * Fetches the models that are not installed, with a bar each.
 * @throws UnavailableError with what to do.
 */
export async function ensureModels(
  ids: string[],
  config: CliConfig,
  reporter: Reporter,
  signal?: AbortSignal,
): Promise<void> {
  const { env, paths } = config;
  for (const id of ids) {
    const present = await installedModel(id, paths.models);
    if (!present) {
      const bar = reporter.bar(id);
      try {
        await pullModel(id, {
          modelsDir: paths.models,
          localDirs: env.AIGOLOS_MODELS_FROM ? [env.AIGOLOS_MODELS_FROM] : [],
          hubUrl: env.HF_ENDPOINT,
          viaProxy: env.NODE_USE_ENV_PROXY === '1',
          pythonPath: env.AIGOLOS_PYTHON,
          onProgress: bar.update,
          signal,
        });
      } finally {
        bar.stop();
      }
    }
    reporter.ok(id, `${paths.models}/${id}`);
  }
}
