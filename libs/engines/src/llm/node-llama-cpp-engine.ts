import { LlmServiceError } from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import { createSlots } from '../slots.ts';
import { defaultThreads } from '../threads.ts';
import { type AnswerParts, answerCall } from './llama-answer.ts';
import { loadLlama } from './llama-model.ts';
import type { LlmEngine } from './llm-engine.ts';
import { toLlmError } from './llm-error.ts';

export interface NodeLlamaCppOptions {
  /** The catalogue id of the model. */
  model: string;
  /** The GGUF file. */
  modelPath: string;
  /** Tokens of prompt and answer together, for each call; at most what the model was trained for. 2,048 unless said. */
  contextTokens?: number | undefined;
  /** Calls that are answered side by side; more wait. Each takes memory for `contextTokens`. 4 unless said. */
  sequences?: number | undefined;
  /** CPU threads; half of the cores unless said. */
  threads?: number | undefined;
  /** For calls that name none. Small models wander and loop above 0, so that is what it is unless said. */
  temperature?: number | undefined;
  /** For calls that name none. 512 unless said. */
  maxTokens?: number | undefined;
  log: Logger;
}

/**
 * Runs a GGUF model in this process by llama.cpp, on the CPU. Calls share batches (continuous batching), and each goes
 * to the sequence that knows most of its prompt already, so the next turn of a conversation starts fast. No system
 * message is added. The same seed gives the same answer, unless calls that run side by side share its batches.
 * @throws LlmServiceError (`LLM_ENGINE_FAILED`) when the file is missing or cannot be loaded.
 */
export async function createNodeLlamaCppEngine(options: NodeLlamaCppOptions): Promise<LlmEngine> {
  const {
    contextTokens = 2_048,
    sequences = 4,
    threads = defaultThreads(),
    temperature = 0,
    maxTokens = 512,
  } = options;
  const llama = await loadLlama({ ...options, contextTokens, sequences, threads });
  const parts: AnswerParts = { ...llama, slots: createSlots(llama.sequences), defaults: { temperature, maxTokens } };
  const closing = new AbortController();
  options.log.info(
    { model: options.model, contextTokens: llama.contextTokens, sequences, chatFormat: llama.format?.wrapperName },
    'language model loaded',
  );

  async function shutDown(): Promise<void> {
    closing.abort(
      new LlmServiceError('The language model was stopped.', { code: 'LLM_ENGINE_FAILED', retryable: true }),
    );
    const never = new AbortController().signal;
    await Promise.all(llama.sequences.map(() => parts.slots.acquire(never)));
    await llama.dispose();
  }

  let closed: Promise<void> | undefined;
  return {
    model: options.model,
    tools: llama.knowsTools,
    async *generate(messages, call, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      try {
        either.throwIfAborted();
        return yield* answerCall(parts, messages, call, either);
      } catch (error) {
        throw toLlmError(error, either);
      }
    },
    close: () => (closed ??= shutDown()),
  };
}
