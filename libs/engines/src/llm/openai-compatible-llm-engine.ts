import { AIGolosError, LlmServiceError } from '@aigolos/contracts';
import type { OpenAI } from 'openai';
import { createUpstreamClient, type UpstreamOptions, upstreamFailure } from '../openai/upstream.ts';
import type { LlmAnswer, LlmEngine } from './llm-engine.ts';
import { type StreamRequest, toUpstreamRequest } from './openai-request.ts';
import { createCallsReader } from './openai-tool-calls.ts';

export interface OpenAICompatibleLlmOptions extends UpstreamOptions {
  /** The id that this engine has here. */
  model: string;
  /** The name that the server knows it by. */
  upstreamModel: string;
}

/**
 * Asks a server that speaks OpenAI's chat completions, streamed. The seed, the limits, the format of the answer and the tools
 * are the server's to honour, or to refuse.
 */
export async function createOpenAICompatibleLlmEngine(options: OpenAICompatibleLlmOptions): Promise<LlmEngine> {
  const client = await createUpstreamClient(options);
  const closing = new AbortController();
  return {
    model: options.model,
    tools: true,
    async *generate(messages, call, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      try {
        either.throwIfAborted();
        return yield* readStream(client, toUpstreamRequest(options.upstreamModel, messages, call), either);
      } catch (error) {
        either.throwIfAborted();
        throw await toError(error);
      }
    },
    async close() {
      closing.abort(
        new LlmServiceError('The language model was stopped.', { code: 'LLM_ENGINE_FAILED', retryable: true }),
      );
    },
  };
}

async function* readStream(
  client: OpenAI,
  request: StreamRequest,
  signal: AbortSignal,
): AsyncGenerator<string, LlmAnswer> {
  let finish: string | undefined;
  let usage: OpenAI.CompletionUsage | undefined;
  let pieces = 0;
  const calls = createCallsReader();
  for await (const chunk of await client.chat.completions.create(request, { signal })) {
    usage = chunk.usage ?? usage;
    const choice = chunk.choices[0];
    finish = choice?.finish_reason ?? finish;
    calls.push(choice?.delta.tool_calls);
    const text = choice?.delta.content ?? '';
    if (text === '') continue;
    pieces += 1;
    yield text;
  }
  // An aborted stream ends as if it were complete.
  signal.throwIfAborted();
  if (finish === undefined) {
    throw new LlmServiceError('The upstream server cut the answer.', { code: 'LLM_ENGINE_FAILED', retryable: true });
  }
  const toolCalls = finish === 'length' ? [] : calls.end();
  return {
    finishReason: finish === 'length' ? 'length' : toolCalls.length > 0 ? 'tool_calls' : 'stop',
    ...(toolCalls.length > 0 && { toolCalls }),
    promptTokens: usage?.prompt_tokens ?? 0,
    completionTokens: usage?.completion_tokens ?? pieces,
    warnings: [
      ...(usage === undefined ? ['The upstream server does not count tokens; the numbers are estimates.'] : []),
      ...(finish === 'content_filter' ? ["The upstream server's content filter ended the answer."] : []),
    ],
  };
}

const CONTEXT_CODES = new Set(['context_length_exceeded', 'exceed_context_size_error', 'LLM_CONTEXT_EXCEEDED']);
/** For servers without a code for it: vLLM ("maximum context length"), llama-server and others. */
const CONTEXT_WORDS = /context (length|size|window)|maximum context|too many tokens/i;

async function toError(error: unknown): Promise<AIGolosError> {
  if (error instanceof AIGolosError) return error;
  const { kind, message, code } = await upstreamFailure(error);
  if (kind === 'failed') {
    return new LlmServiceError(message, { code: 'LLM_ENGINE_FAILED', retryable: true, cause: error });
  }
  const exceeded = (code !== undefined && CONTEXT_CODES.has(code)) || CONTEXT_WORDS.test(message);
  return exceeded
    ? new LlmServiceError(message, { code: 'LLM_CONTEXT_EXCEEDED', param: 'messages', cause: error })
    : new LlmServiceError(message, { code: 'LLM_ENGINE_REJECTED', cause: error });
}
