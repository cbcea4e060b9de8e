import type { FinalStatus, JobView } from '@aigolos/contracts';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { hasEnded } from './ended-job.ts';
import { ApiError, ConnectionError } from './errors.ts';
import type { Jobs } from './jobs.ts';
import { delayMs, isWorthAnotherTry, sleep } from './retry.ts';
import type { CallOptions, Transport } from './transport.ts';
import { chunksOf } from './upload.ts';

/** Something that happened to a job, such as `job.started`, `job.progress` or `job.completed`, with what the service says of it. */
export interface JobEvent {
  type: string;
  data: unknown;
  /** Its place among the events of its job; undefined where they are found out by asking. */
  id: string | undefined;
}

/** Total: an end that is missing here does not compile. */
const ENDS: Record<`job.${FinalStatus}`, true> = {
  'job.completed': true,
  'job.incomplete': true,
  'job.failed': true,
  'job.cancelled': true,
  'job.expired': true,
};
/** The service says something every 15 s: a connection that says nothing for so long is dead. */
const SILENT_MS = 45_000;
/** How often a service without a stream of events is asked. */
const ASK_EVERY_MS = 500;

/** What happens to a job, each event once, over as many connections as it takes. */
export async function* jobEvents(
  transport: Transport,
  jobs: Pick<Jobs, 'get'>,
  id: string,
  { signal }: CallOptions,
): AsyncGenerator<JobEvent, void> {
  let lastId: string | undefined;
  for (let failures = 0; ; ) {
    try {
      for await (const event of connection(transport, { id, lastId, signal })) {
        failures = 0;
        lastId = event.id ?? lastId;
        yield event;
        if (event.type in ENDS) return;
      }
      throw new ConnectionError(`The events of job ${id} broke off before its end.`, { jobId: id });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ApiError && error.code === 'ROUTE_NOT_FOUND') return yield* askedFor(jobs, id, signal);
      failures += 1;
      if (!isWorthAnotherTry(error) || failures > transport.maxRetries) throw error;
      await sleep(delayMs(error, failures), signal);
    }
  }
}

/** The events of one connection. @throws ConnectionError where it breaks off or falls silent. */
async function* connection(
  transport: Transport,
  { id, lastId, signal }: { id: string; lastId: string | undefined; signal: AbortSignal | undefined },
): AsyncGenerator<JobEvent, void> {
  const silent = new AbortController();
  const both = AbortSignal.any([silent.signal, ...(signal ? [signal] : [])]);
  let timer = setTimeout(() => silent.abort(), SILENT_MS);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), SILENT_MS);
  };
  try {
    const path = `/v1/jobs/${encodeURIComponent(id)}/events`;
    const headers = { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) };
    const call = { path, headers, timeoutMs: null, isRepeatable: () => false, signal: both };
    const response = await transport.send(call, async (answer) => answer);
    for await (const { event = 'message', data, id: eventId } of readEvents(response, heard)) {
      yield { type: event, data: JSON.parse(data) as unknown, id: eventId };
    }
  } catch (error) {
    if (error instanceof ApiError || error instanceof ConnectionError || signal?.aborted) throw error;
    throw new ConnectionError(`The events of job ${id} broke off.`, { cause: error, jobId: id });
  } finally {
    clearTimeout(timer);
    silent.abort();
  }
}

/** The server-sent events of an answer; `heard` is called for whatever arrives, comments too. */
export function readEvents(response: Response, heard: () => void = () => {}) {
  if (!response.body) throw new ConnectionError(`${response.url} sent no events.`);
  const pieces = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      heard();
      controller.enqueue(chunk);
    },
  });
  const text = response.body.pipeThrough(pieces).pipeThrough(new TextDecoderStream());
  return chunksOf(text.pipeThrough(new EventSourceParserStream()));
}

/** From a service that has no stream of events: it is asked, and what has changed is an event. */
async function* askedFor(
  jobs: Pick<Jobs, 'get'>,
  id: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<JobEvent, void> {
  let seen: JobView | undefined;
  for (;;) {
    const job = await jobs.get(id, { signal });
    const type = typeOf(job, seen);
    if (type) yield { type, data: job, id: undefined };
    if (hasEnded(job)) return;
    seen = job;
    await sleep(ASK_EVERY_MS, signal);
  }
}

function typeOf(job: JobView, seen: JobView | undefined): string | undefined {
  if (job.status !== seen?.status) return job.status === 'in_progress' ? 'job.started' : `job.${job.status}`;
  return job.progress === seen.progress ? undefined : 'job.progress';
}
