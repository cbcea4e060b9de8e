import { Readable } from 'node:stream';
import { AuthError, isFinal, type JobStateEventType, type JobStreamEvent, NotFoundError } from '@aigolos/contracts';
import type { AnyJobRecord, JobSummary } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { Logger } from '@aigolos/runtime';
import { type EventPosition, toEventId } from '../../answers/event-position.ts';
import { watchPatiently } from '../../answers/follow-text.ts';
import { stepOf, toJobView } from '../../answers/job-view.ts';
import { sseEvent, withHeartbeat } from '../../answers/server-sent-events.ts';
import { toOpenAIError } from '../../errors/error-body.ts';
import { createToldText, type ToldPiece } from './told-text.ts';

export interface JobEventsOptions {
  /** Where the client stands; before the first event where it is absent. */
  after: EventPosition | undefined;
  signal: AbortSignal;
  log: Pick<Logger, 'error'>;
  /** For tests. */
  heartbeatMs?: number;
}

const HEARTBEAT_MS = 15_000;

/**
 * What happens to a job, as server-sent events, up to its end. All of it is read from its record, and its text as long as it
 * is made from its live stream: so what Redis has forgotten is made up for by the record, if only at the end.
 */
export function jobEvents(jobs: Jobs, job: AnyJobRecord, options: JobEventsOptions): Readable {
  return Readable.from(withHeartbeat(eventsOf(jobs, job, options), options.heartbeatMs ?? HEARTBEAT_MS));
}

/** Does a client that stands here know everything that there is to be told of a job? */
export function knowsTheEnd(at: EventPosition | undefined, { fence, status }: JobSummary): boolean {
  return at?.stage === 'ended' && at.fence === fence && isFinal(status);
}

async function* eventsOf(
  jobs: Jobs,
  job: AnyJobRecord,
  { after, signal, log }: JobEventsOptions,
): AsyncGenerator<string> {
  const teller = createTeller(jobs, after);
  try {
    yield* teller.state(job);
    for await (const news of watchPatiently(jobs, job, signal)) {
      if (news.type === 'again') teller.restart();
      else if (news.type === 'checkpoint' && news.seen) yield* teller.state(news.seen);
      else if (news.type === 'ended') return yield* teller.end(news.job);
      else if (news.type === 'delta') {
        // The record knew of the attempt before it could say anything.
        if (teller.isNewAttempt(news.fence)) yield* teller.state(await jobs.get(job.account, job._id));
        yield* teller.text(news, job);
      }
    }
    // The event before stands: another key goes on after it.
    if (signal.reason instanceof AuthError) yield sseEvent(toOpenAIError(signal.reason));
  } catch (error) {
    // It was erased meanwhile.
    if (error instanceof NotFoundError) return;
    log.error({ err: error, jobId: job._id }, 'the events of a job were cut off');
    throw error;
  }
}

/** Tells a client that stands at `after` what it does not know yet. */
function createTeller(jobs: Jobs, after: EventPosition | undefined) {
  const told = createToldText(after);
  let at = after;
  const position = (): EventPosition => ({ fence: 0, stage: 'queued', progress: 0, ...at, ...told.position });
  const event = (data: JobStreamEvent) => sseEvent(data, { event: data.type, id: toEventId(position()) });
  const piece = (id: string, { offset, delta }: ToldPiece) => event({ type: 'job.delta', id, offset, delta });

  async function stateEvent(type: JobStateEventType, job: JobSummary): Promise<string> {
    const place = type === 'job.queued' && job.status === 'queued' ? await jobs.place(job) : undefined;
    return event({ type, job: toJobView(job, place) });
  }

  async function* state(job: JobSummary): AsyncGenerator<string> {
    const { fence, status, startedAt, progress } = job;
    const stage = status === 'queued' ? 'queued' : 'started';
    if (at === undefined) {
      at = { ...position(), fence: status === 'queued' ? fence : 0 };
      yield await stateEvent('job.queued', job);
    }
    const isKnown = at.fence === fence && (at.stage === stage || isFinal(status));
    const wasBegun = !isFinal(status) || startedAt !== undefined;
    if (!isKnown && wasBegun) {
      at = { ...at, fence, stage };
      yield await stateEvent(`job.${stage}`, job);
    }
    const percent = Math.floor(progress * 100);
    if (percent === at.progress || isFinal(status)) return;
    at = { ...at, progress: percent };
    yield event({ type: 'job.progress', id: job._id, status, step: stepOf(job), progress });
  }

  return {
    state,
    isNewAttempt: (fence: number) => at === undefined || fence > at.fence,
    *text(news: { fence: number; text: string; offset?: number | undefined }, { _id: id }: { _id: string }) {
      const found = told.push(news, position().fence);
      if (found) yield piece(id, found);
    },
    restart: told.restart,
    async *end(job: AnyJobRecord): AsyncGenerator<string> {
      if (!isFinal(job.status)) return;
      yield* state(job);
      const text = textOf(job);
      const rest = text === undefined ? undefined : told.finish(text);
      if (rest) yield piece(job._id, rest);
      at = { ...position(), fence: job.fence, stage: 'ended', progress: Math.floor(job.progress * 100) };
      yield await stateEvent(`job.${job.status}`, job);
    },
  };
}

/** What the deltas of a job are pieces of. */
function textOf(job: AnyJobRecord): string | undefined {
  switch (job.kind) {
    case 'chat':
    case 'response':
    case 'transcription':
    case 'translation':
      return job.result?.text;
    case 'voice-turn':
      return job.result?.answer.text;
    case 'speech':
    case 'batch':
    case 'export':
    case 'erasure':
      return undefined;
  }
}
