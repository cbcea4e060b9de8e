import { Readable } from 'node:stream';
import type { ResponseEvent } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { Logger } from '@aigolos/runtime';
import { followText } from './follow-text.ts';
import { createResponseEvents } from './response-events.ts';
import { sseEvent, withHeartbeat } from './server-sent-events.ts';

export interface ResponseStreamOptions {
  /** The number of the last event that the client has; -1 where it has none. */
  startingAfter: number;
  signal: AbortSignal;
  log: Pick<Logger, 'error'>;
}

const HEARTBEAT_MS = 15_000;

/**
 * A response's events, while it is made or after its end. Where the gateway stops they end without a last one: the client
 * goes on after the number that it has.
 */
export function streamResponse(jobs: Jobs, job: JobRecord<'response'>, options: ResponseStreamOptions): Readable {
  return Readable.from(withHeartbeat(eventsAfter(jobs, job, options), HEARTBEAT_MS));
}

async function* eventsAfter(
  jobs: Jobs,
  job: JobRecord<'response'>,
  { startingAfter, signal, log }: ResponseStreamOptions,
): AsyncGenerator<string> {
  try {
    for await (const event of allEvents(jobs, job, signal)) {
      if (event.sequence_number > startingAfter) yield sseEvent(event, { event: event.type });
    }
  } catch (error) {
    log.error({ err: error, jobId: job._id }, 'a stream failed');
  }
}

async function* allEvents(jobs: Jobs, job: JobRecord<'response'>, signal: AbortSignal): AsyncGenerator<ResponseEvent> {
  const events = createResponseEvents(job);
  yield* events.begun();
  for await (const news of followText(jobs, job, signal)) {
    if (news.type === 'text') yield* events.said(news.text);
    else if (news.type === 'ended') yield* events.ended(news.job as JobRecord<'response'>);
    else yield* events.diverged(`The answer was begun anew after a failure: GET /v1/responses/${job._id} has it.`);
  }
}
