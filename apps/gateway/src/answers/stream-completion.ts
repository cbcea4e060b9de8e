import type { Readable } from 'node:stream';
import { AIGolosError, type ChatCompletionChunk } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import { toChunk, toToolCallView, toUsageChunk } from './chat-completion.ts';
import { type EventStreamOptions, openEventStream } from './event-stream.ts';
import { followText, type TextNews } from './follow-text.ts';
import { whyCut } from './held-open.ts';
import { expiresAt } from './job-view.ts';
import { whyNoResult } from './result-body.ts';
import { sseEvent } from './server-sent-events.ts';
import { createStreamIds } from './stream-ids.ts';

export interface StreamOptions extends EventStreamOptions {
  includeUsage: boolean;
  signal: AbortSignal;
}

/**
 * A chat job's answer as OpenAI's server-sent events, while it is made. Each has an id, save an error: the one before stands.
 * @throws the job's error where it ended without a result before anything was said.
 */
export async function streamCompletion(
  jobs: Jobs,
  job: JobRecord<'chat'>,
  { includeUsage, signal, ...options }: StreamOptions,
): Promise<Readable> {
  const write = (news: AsyncGenerator<TextNews>) => completionEvents(job, news, { includeUsage, signal });
  return openEventStream(job, followText(jobs, job, signal), write, options);
}

async function* completionEvents(
  job: JobRecord<'chat'>,
  news: AsyncGenerator<TextNews>,
  { includeUsage, signal }: Pick<StreamOptions, 'includeUsage' | 'signal'>,
): AsyncGenerator<string> {
  const ids = createStreamIds();
  const chunk = (choice: Parameters<typeof toChunk>[1], more: Partial<ChatCompletionChunk> = {}, id = ids.here()) =>
    sseEvent({ ...toChunk(job, choice), ...more, ...(includeUsage && { usage: null }) }, { id });
  yield chunk({ delta: { role: 'assistant', content: '' } });
  for await (const item of news) {
    if (item.type === 'text') {
      yield chunk({ delta: { content: item.text } }, {}, ids.said(item.text, item.fence));
      continue;
    }
    if (item.type === 'diverged') throw startedAnew(job);
    if (!item.job.result) throw whyNoResult(item.job);
    const { finishReason, toolCalls = [] } = item.job.result;
    // Calls are known when they are whole, and come one by one.
    for (const [index, call] of toolCalls.entries()) {
      yield chunk({ delta: { tool_calls: [{ index, ...toToolCallView(call) }] } });
    }
    yield chunk({ finish_reason: finishReason }, { expires_at: expiresAt(item.job) });
    if (includeUsage) yield sseEvent(toUsageChunk(item.job as JobRecord<'chat'>), { id: ids.here() });
    return yield sseEvent('[DONE]', { id: ids.ended(item.job) });
  }
  throw whyCut(signal, job);
}

function startedAnew({ _id: id }: JobRecord<'chat'>): AIGolosError {
  return new AIGolosError(
    `The answer was begun anew after a failure and differs from what you have read. GET /v1/jobs/${id}/result has the whole of it.`,
    { code: 'LLM_ENGINE_FAILED' },
  );
}
