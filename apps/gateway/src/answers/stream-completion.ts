import { Readable } from 'node:stream';
import { AIGolosError, type ChatCompletionChunk, UnavailableError } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { Logger } from '@aigolos/runtime';
import { toOpenAIError } from '../errors/error-body.ts';
import { toAIGolosError } from '../errors/to-aigolos-error.ts';
import { toChunk, toToolCallView, toUsageChunk } from './chat-completion.ts';
import { followText, type TextNews } from './follow-text.ts';
import { expiresAt } from './job-view.ts';
import { whyNoResult } from './result-body.ts';
import { sseEvent, withHeartbeat } from './server-sent-events.ts';
import { SILENT, within } from './within.ts';

export interface StreamOptions {
  includeUsage: boolean;
  signal: AbortSignal;
  log: Pick<Logger, 'error'>;
  /** For tests. */
  heartbeatMs?: number;
}

/** As long as nothing has been said, a failure can still be told by its HTTP status; after this the stream is opened anyway. */
const OPEN_AFTER_MS = 5_000;
const HEARTBEAT_MS = 15_000;

/**
 * A chat job's answer as OpenAI's server-sent events, while it is made.
 * @throws the job's error where it ended without a result before anything was said.
 */
export async function streamCompletion(jobs: Jobs, job: JobRecord<'chat'>, options: StreamOptions): Promise<Readable> {
  const news = followText(jobs, job, options.signal);
  const first = news.next();
  const early = await within(first, OPEN_AFTER_MS);
  if (early !== SILENT && !early.done && early.value.type === 'ended' && !early.value.job.result) {
    throw whyNoResult(early.value.job);
  }
  const events = completionEvents(job, from(first, news), options);
  return Readable.from(withHeartbeat(events, options.heartbeatMs ?? HEARTBEAT_MS));
}

async function* completionEvents(
  job: JobRecord<'chat'>,
  news: AsyncGenerator<TextNews>,
  { includeUsage, log }: StreamOptions,
): AsyncGenerator<string> {
  const chunk = (choice: Parameters<typeof toChunk>[1], more: Partial<ChatCompletionChunk> = {}) =>
    sseEvent({ ...toChunk(job, choice), ...more, ...(includeUsage && { usage: null }) });
  try {
    yield chunk({ delta: { role: 'assistant', content: '' } });
    for await (const item of news) {
      if (item.type === 'text') {
        yield chunk({ delta: { content: item.text } });
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
      if (includeUsage) yield sseEvent(toUsageChunk(item.job as JobRecord<'chat'>));
      return yield sseEvent('[DONE]');
    }
    throw goesOn(job);
  } catch (thrown) {
    const error = toAIGolosError(thrown);
    if (error.code === 'INTERNAL') log.error({ err: error.cause ?? error, jobId: job._id }, 'a stream failed');
    yield sseEvent(toOpenAIError(error));
  }
}

async function* from(
  first: Promise<IteratorResult<TextNews>>,
  rest: AsyncGenerator<TextNews>,
): AsyncGenerator<TextNews> {
  try {
    const { done, value } = await first;
    if (done) return;
    yield value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

function startedAnew({ _id: id }: JobRecord<'chat'>): AIGolosError {
  return new AIGolosError(
    `The answer was begun anew after a failure and differs from what you have read. GET /v1/jobs/${id}/result has the whole of it.`,
    { code: 'LLM_ENGINE_FAILED' },
  );
}

/** The signal aborted: the gateway stops. */
export function goesOn({ _id: id }: Pick<JobRecord, '_id'>): UnavailableError {
  return new UnavailableError(
    `This server is stopping. Job ${id} goes on without it: GET /v1/jobs/${id}/result has its result when it is done.`,
  );
}
