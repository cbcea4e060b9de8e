import type { ChatCompletion, ChatCompletionChunk, ChatResult, ChatToolCallView, ToolCall } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { expiresAt, unixSeconds } from './job-view.ts';

/** A finished chat job in OpenAI's shape; the completion's id is the job's. */
export function toChatCompletion(
  job: JobRecord<'chat'>,
  { text, finishReason, toolCalls }: ChatResult,
): ChatCompletion {
  return {
    ...common(job),
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' && toolCalls ? null : text,
          refusal: null,
          ...(toolCalls && { tool_calls: toolCalls.map(toToolCallView) }),
        },
        logprobs: null,
        finish_reason: finishReason,
      },
    ],
    usage: toChatUsage(job),
    expires_at: expiresAt(job),
  };
}

export function toToolCallView({ id, name, arguments: given }: ToolCall): ChatToolCallView {
  return { id, type: 'function', function: { name, arguments: given } };
}

type Choice = ChatCompletionChunk['choices'][number];

/** One piece of a streamed answer. */
export function toChunk(job: JobRecord<'chat'>, choice: Partial<Choice>): ChatCompletionChunk {
  const whole = { index: 0, delta: {}, logprobs: null, finish_reason: null, ...choice };
  return { ...common(job), object: 'chat.completion.chunk', choices: [whole] };
}

/** The last piece of a streamed answer, for those who asked for it. */
export function toUsageChunk(job: JobRecord<'chat'>): ChatCompletionChunk {
  return {
    ...common(job),
    object: 'chat.completion.chunk',
    choices: [],
    usage: toChatUsage(job),
    expires_at: expiresAt(job),
  };
}

function common(job: JobRecord<'chat'>) {
  return {
    id: job._id,
    created: unixSeconds(job.createdAt),
    model: job.task.model,
    ...(job.conversation !== undefined && { conversation: { id: job.conversation } }),
  };
}

function toChatUsage({ usage }: JobRecord<'chat'>): ChatCompletion['usage'] {
  const { promptTokens = 0, completionTokens = 0 } = usage ?? {};
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
