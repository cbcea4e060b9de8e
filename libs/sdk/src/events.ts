import type { FinalStatus, JobStreamEvent, OpenAIErrorBody } from '@aigolos/contracts';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { ApiError, ConnectionError } from './errors.ts';
import { fromOpenAI } from './read-error.ts';
import { delayMs, isWorthAnotherTry, sleep } from './retry.ts';
import type { CallOptions, Transport } from './transport.ts';
import { chunksOf } from './upload.ts';

/** What happened to a job, told apart by `type`. A later version of the service may send types beside these. */
export type JobEvent = JobStreamEvent & {
  /** Its place among the events of its job, to go on `after` it. */
  eventId: string;
};

export interface EventsOptions extends CallOptions {
  /** The `eventId` of the last event that was read, also by another process: the events after it follow. */
  after?: string | undefined;
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

/** What happens to a job, each event once, over as many connections as it takes. @throws ApiError of a key that is revoked meanwhile, too. */
export async function* jobEvents(
  transport: Transport,
  id: string,
  { signal, after }: EventsOptions,
): AsyncGenerator<JobEvent, void> {
  let lastId = after;
  for (let failures = 0; ; ) {
    // A connection that told something, if only that it lives, was none that failed.
    const onHeard = () => {
      failures = 0;
    };
    try {
      for await (const event of connection(transport, { id, lastId, signal, onHeard })) {
        if (event === 'over') return;
        lastId = event.eventId;
        yield event;
        if (event.type in ENDS) return;
      }
      throw brokeOff(id);
    } catch (error) {
      signal?.throwIfAborted();
      failures += 1;
      if (!isWorthAnotherTry(error) || failures > transport.maxRetries) throw error;
      await sleep(delayMs(error, failures), signal);
    }
  }
}

interface Connection {
  id: string;
  lastId: string | undefined;
  signal: AbortSignal | undefined;
  onHeard: () => void;
}

/** The events of one connection; `over` where there will be no more. @throws ConnectionError where it breaks off or falls silent; ApiError that it ends with. */
async function* connection(
  transport: Transport,
  { id, lastId, signal, onHeard }: Connection,
): AsyncGenerator<JobEvent | 'over', void> {
  const silent = new AbortController();
  const both = AbortSignal.any([silent.signal, ...(signal ? [signal] : [])]);
  let timer = setTimeout(() => silent.abort(), SILENT_MS);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), SILENT_MS);
    onHeard();
  };
  try {
    const path = `/v1/jobs/${encodeURIComponent(id)}/events`;
    const headers = { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) };
    const call = { path, headers, timeoutMs: null, isRepeatable: () => false, signal: both };
    const response = await transport.send(call, async (answer) => answer);
    if (response.status === 204) return yield 'over';
    for await (const { data, id: eventId = '' } of readEvents(response, heard)) {
      const told = JSON.parse(data) as JobStreamEvent | OpenAIErrorBody;
      if ('error' in told) throw fromOpenAI(told, { status: response.status, jobId: id });
      yield { ...told, eventId };
    }
  } catch (error) {
    if (error instanceof ApiError || error instanceof ConnectionError || signal?.aborted) throw error;
    throw brokeOff(id, error);
  } finally {
    clearTimeout(timer);
    silent.abort();
  }
}

function brokeOff(jobId: string, cause?: unknown): ConnectionError {
  return new ConnectionError(`The events of job ${jobId} broke off before its end.`, { cause, jobId });
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
