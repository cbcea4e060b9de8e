import type { ChatMessage, FinishReason } from '@aigolos/contracts';

export interface LlmOptions {
  maxTokens?: number | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  /** Generation ends before the first of these; they are not part of the answer. */
  stop: string[];
  seed?: number | undefined;
}

export interface LlmAnswer {
  finishReason: FinishReason;
  promptTokens: number;
  completionTokens: number;
  /** What of the options the engine could not honour, in words for the caller. */
  warnings: string[];
}

/**
 * Answers a list of messages. Concurrent calls run side by side or wait for each other, as the engine can; none blocks
 * the event loop.
 */
export interface LlmEngine {
  /** The catalogue id of the model that runs. */
  readonly model: string;
  /**
   * Yields pieces of the answer as they come and returns how it ended. The last message is the one to be answered.
   * @throws LlmServiceError (`LLM_ENGINE_FAILED`, retryable; `LLM_ENGINE_REJECTED` or `LLM_CONTEXT_EXCEEDED`, not
   *   retryable); `signal.reason` within a second of an abort.
   */
  generate(messages: ChatMessage[], options: LlmOptions, signal: AbortSignal): AsyncGenerator<string, LlmAnswer>;
  /** Ends child processes and frees memory. Safe to call twice. */
  close(): Promise<void>;
}
