import { Readable } from 'node:stream';
import type { AnyJobRecord } from '@aigolos/db';
import type { Logger } from '@aigolos/runtime';
import { toOpenAIError } from '../errors/error-body.ts';
import { toAIGolosError } from '../errors/to-aigolos-error.ts';
import { whyNoResult } from './result-body.ts';
import { sseEvent, withHeartbeat } from './server-sent-events.ts';
import { SILENT, within } from './within.ts';

/** What is told of a job; `ended` is the last. */
export type StreamedNews = { type: string } | { type: 'ended'; job: AnyJobRecord };

export interface EventStreamOptions {
  log: Pick<Logger, 'error'>;
  /** For tests. */
  heartbeatMs?: number | undefined;
}

/** As long as nothing has been said, a failure can still be told by its HTTP status; after this the stream is opened anyway. */
const OPEN_AFTER_MS = 5_000;
const HEARTBEAT_MS = 15_000;

/**
 * What is told of a job as server-sent events, which `write` makes of it. What goes wrong on the way is the last event.
 * @throws the job's error where it ended without a result before anything was said.
 */
export async function openEventStream<News extends StreamedNews>(
  job: Pick<AnyJobRecord, '_id'>,
  news: AsyncGenerator<News>,
  write: (news: AsyncGenerator<News>) => AsyncGenerator<string>,
  { log, heartbeatMs = HEARTBEAT_MS }: EventStreamOptions,
): Promise<Readable> {
  const first = news.next();
  const early = await within(first, OPEN_AFTER_MS);
  if (early !== SILENT && !early.done && 'job' in early.value && !early.value.job.result) {
    throw whyNoResult(early.value.job);
  }
  const events = untilError(write(from(first, news)), (error) => {
    log.error({ err: error, jobId: job._id }, 'a stream failed');
  });
  return Readable.from(withHeartbeat(events, heartbeatMs));
}

async function* untilError(
  events: AsyncGenerator<string>,
  onInternal: (error: unknown) => void,
): AsyncGenerator<string> {
  try {
    yield* events;
  } catch (thrown) {
    const error = toAIGolosError(thrown);
    if (error.code === 'INTERNAL') onInternal(error.cause ?? error);
    yield sseEvent(toOpenAIError(error));
  }
}

async function* from<News>(first: Promise<IteratorResult<News>>, rest: AsyncGenerator<News>): AsyncGenerator<News> {
  try {
    const { done, value } = await first;
    if (done) return;
    yield value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
