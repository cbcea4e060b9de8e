import type { AnswerFormat, ChatMessage, ChatTool, FinishReason, ToolCall, ToolChoice } from '@aigolos/contracts';

export interface LlmOptions {
  maxTokens?: number | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  /** Generation ends before the first of these; they are not part of the answer. */
  stop: string[];
  seed?: number | undefined;
  /** What the text of the answer is held to; plain text where absent. */
  format?: AnswerFormat | undefined;
  /** What the model may call; only for engines with {@link LlmEngine.tools}. */
  tools?: ChatTool[] | undefined;
  /** `auto` unless said. */
  toolChoice?: ToolChoice | undefined;
  parallelToolCalls?: boolean | undefined;
}

export interface LlmAnswer {
  finishReason: FinishReason;
  promptTokens: number;
  completionTokens: number;
  /** What the model calls: where it does, the answer ended with `tool_calls`. */
  toolCalls?: ToolCall[];
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
  /** Can the model call functions? */
  readonly tools: boolean;
  /**
   * Yields pieces of the answer as they come and returns how it ended. The last message is the one to be answered. An answer
   * that ends with `stop` fits its format; what is called fits the schema of its parameters.
   * @throws LlmServiceError (`LLM_ENGINE_FAILED`, retryable; `LLM_ENGINE_REJECTED` or `LLM_CONTEXT_EXCEEDED`, not
   *   retryable); `signal.reason` within a second of an abort.
   */
  generate(messages: ChatMessage[], options: LlmOptions, signal: AbortSignal): AsyncGenerator<string, LlmAnswer>;
  /** Ends child processes and frees memory. Safe to call twice. */
  close(): Promise<void>;
}
