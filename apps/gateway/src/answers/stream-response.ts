import { Readable } from 'node:stream';
import { AuthError, type ResponseEvent } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { Logger } from '@aigolos/runtime';
import { toOpenAIError } from '../errors/error-body.ts';
import { followText } from './follow-text.ts';
import { createResponseEvents } from './response-events.ts';
import { sseEvent, withHeartbeat } from './server-sent-events.ts';
import { createStreamIds } from './stream-ids.ts';

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
  let last = startingAfter;
  try {
    for await (const { event, id } of allEvents(jobs, job, { startingAfter, signal })) {
      if (event.sequence_number <= startingAfter) continue;
      last = event.sequence_number;
      yield sseEvent(event, { event: event.type, ...(id && { id }) });
    }
    if (signal.reason instanceof AuthError) yield refusal(signal.reason, last + 1);
  } catch (error) {
    log.error({ err: error, jobId: job._id }, 'a stream failed');
  }
}

/** Another key goes on after the event before. */
function refusal(error: AuthError, sequenceNumber: number): string {
  const { code, message, param } = toOpenAIError(error).error;
  return sseEvent({ type: 'error', sequence_number: sequenceNumber, code, message, param }, { event: 'error' });
}

async function* allEvents(
  jobs: Jobs,
  job: JobRecord<'response'>,
  { startingAfter, signal }: Pick<ResponseStreamOptions, 'startingAfter' | 'signal'>,
): AsyncGenerator<{ event: ResponseEvent; id?: string }> {
  const events = createResponseEvents(job, startingAfter);
  const ids = createStreamIds();
  const tell = (event: ResponseEvent, fence?: number) => {
    const isText = event.type === 'response.output_text.delta';
    return { event, id: isText ? ids.said(String(event['delta']), fence) : ids.here() };
  };
  for (const event of events.begun()) yield tell(event);
  for await (const news of followText(jobs, job, signal)) {
    if (news.type === 'text') {
      for (const event of events.said(news.text)) yield tell(event, news.fence);
    } else if (news.type === 'ended') {
      const rest = events.ended(news.job as JobRecord<'response'>);
      for (const event of rest.slice(0, -1)) yield tell(event, news.job.fence);
      for (const event of rest.slice(-1)) yield { event, id: ids.ended(news.job) };
    } else {
      const message = `The answer was begun anew after a failure: GET /v1/responses/${job._id} has it.`;
      for (const event of events.diverged(message)) yield { event };
    }
  }
}
