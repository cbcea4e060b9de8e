import { access } from 'node:fs/promises';
import { LlmServiceError } from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import type { ChatWrapper, LlamaContextSequence, LlamaModel } from 'node-llama-cpp';
import { PROMPT_SLICE_TOKENS } from './llama-evaluation.ts';

export interface LoadedLlama {
  model: LlamaModel;
  sequences: LlamaContextSequence[];
  /** What one sequence holds. */
  contextTokens: number;
  /** The model's own chat format; undefined where its file names none. */
  format: ChatWrapper | undefined;
  /** Does that format speak of tools? Who made the model taught it to call functions then. */
  knowsTools: boolean;
  dispose(): Promise<void>;
}

export interface LoadOptions {
  model: string;
  modelPath: string;
  contextTokens: number;
  sequences: number;
  threads: number;
  log: Logger;
}

/** @throws LlmServiceError (`LLM_ENGINE_FAILED`) when the file is missing or cannot be loaded. */
export async function loadLlama(options: LoadOptions): Promise<LoadedLlama> {
  const { model: id, modelPath } = options;
  await access(modelPath).catch((cause: unknown) => {
    throw new LlmServiceError(
      `The model ${id} is not installed: ${modelPath} is missing. Run: aigolos models pull ${id}`,
      {
        code: 'LLM_ENGINE_FAILED',
        cause,
      },
    );
  });
  const llama = await startLlama(options.threads, options.log);
  try {
    return await loadInto(llama, options);
  } catch (cause) {
    await llama.dispose();
    throw new LlmServiceError(
      `The model ${id} cannot be loaded from ${modelPath}: check the file (aigolos models verify ${id}) and the free memory.`,
      { code: 'LLM_ENGINE_FAILED', cause },
    );
  }
}

type Llama = Awaited<ReturnType<typeof startLlama>>;

async function startLlama(threads: number, log: Logger) {
  // Native code of 30 MB and more: loaded only by the process that runs a model.
  const { getLlama, LlamaLogLevel } = await import('node-llama-cpp');
  return getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    maxThreads: threads,
    logLevel: LlamaLogLevel.warn,
    logger: (level, message) => log.debug({ llama: level }, message.trimEnd()),
  });
}

async function loadInto(llama: Llama, options: LoadOptions): Promise<LoadedLlama> {
  const { resolveChatWrapper } = await import('node-llama-cpp');
  const model = await llama.loadModel({ modelPath: options.modelPath, gpuLayers: 0 });
  const contextTokens = Math.min(options.contextTokens, model.trainContextSize);
  const context = await model.createContext({
    sequences: options.sequences,
    contextSize: contextTokens,
    batchSize: Math.max(PROMPT_SLICE_TOKENS, options.sequences),
    flashAttention: true,
    threads: options.threads,
  });
  const template = model.fileInfo.metadata?.tokenizer?.chat_template;
  const format =
    template === undefined || template.trim() === ''
      ? undefined
      : // An answer that is to be heard should not begin with the model's thoughts.
        resolveChatWrapper(model, { customWrapperSettings: { qwen: { thoughts: 'discourage' } } });
  return {
    model,
    contextTokens,
    format,
    knowsTools: format !== undefined && /\btools\b/.test(template ?? ''),
    sequences: Array.from({ length: options.sequences }, () => context.getSequence()),
    dispose: () => llama.dispose(),
  };
}
