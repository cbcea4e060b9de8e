import type { JobDeletedSchema, JobKind, JobList, JobStatus, JobView } from '@aigolos/contracts';
import type { z } from 'zod';
import { type EndedJob, hasEnded } from './ended-job.ts';
import { type EventsOptions, type JobEvent, jobEvents } from './events.ts';
import {
  type AnyResultOptions,
  acceptOf,
  type FormOptions,
  type ResultForms,
  type ResultKind,
  type Results,
  readResult,
} from './results.ts';
import { asJson, type CallOptions, type Transport } from './transport.ts';

/** Which jobs of the account to list. */
export interface ListOptions extends CallOptions {
  /** 1 to 100; 20 where absent. */
  limit?: number;
  /** Id of the last job of the page before. */
  after?: string;
  kind?: JobKind;
  status?: JobStatus;
  /** By the time of submission; `desc`, the newest first, where absent. */
  order?: 'asc' | 'desc';
  /** Those that have all of these pairs. */
  metadata?: Record<string, string>;
}

/** That a job was erased, with the receipt. */
export type JobDeleted = z.infer<typeof JobDeletedSchema>;

/** Jobs by their ids. */
export interface Jobs {
  /** The job as it is now. */
  get(id: string, options?: CallOptions): Promise<JobView>;
  /** A page. */
  list(options?: ListOptions): Promise<JobList>;
  /** Harmless after its end. A job that runs stops a moment later: `wait` tells when. */
  cancel(id: string, options?: CallOptions): Promise<JobView>;
  /** Erases a job that has ended, and its files. Is not sent again by itself: a second time it is a 404. */
  delete(id: string, options?: CallOptions): Promise<JobDeleted>;
  /** The job once it has ended, however it did. An interrupted connection is made anew. */
  wait(id: string, options?: CallOptions): Promise<EndedJob>;
  /** What comes of a job that has ended. @throws ApiError with what it ended with, or 409 before the end. */
  result<Kind extends ResultKind>(kind: Kind, id: string, options?: CallOptions): Promise<Results[Kind]>;
  /** The same in another form than was asked for when it was submitted, such as its subtitles. */
  result<Kind extends keyof ResultForms, Form extends keyof ResultForms[Kind]>(
    kind: Kind,
    id: string,
    options: FormOptions<Form>,
  ): Promise<ResultForms[Kind][Form]>;
  /** What happens to it, until it has ended. Ends with the event of its end. An interrupted connection is made anew. */
  events(id: string, options?: EventsOptions): AsyncGenerator<JobEvent, void>;
}

/** The service answers a long poll after this long at the latest, */
const WAIT_SECONDS = 30;
/** and where it does not, the connection is dead. */
const WAIT_TIMEOUT_MS = (WAIT_SECONDS + 15) * 1_000;

export function createJobs(transport: Transport): Jobs {
  const path = (id: string, more = '') => `/v1/jobs/${encodeURIComponent(id)}${more}`;
  const { send } = transport;

  return {
    get: (id, { signal } = {}) => send({ path: path(id), signal }, asJson<JobView>),
    list: ({ signal, metadata = {}, ...query } = {}) => {
      const search = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
      for (const [key, value] of Object.entries(metadata)) search.set(`metadata[${key}]`, value);
      return send({ path: `/v1/jobs?${search.toString()}`, signal }, asJson<JobList>);
    },
    cancel: (id, { signal } = {}) =>
      send({ method: 'POST', path: path(id, '/cancel'), isRepeatable: () => true, signal }, asJson<JobView>),
    delete: (id, { signal } = {}) => send({ method: 'DELETE', path: path(id), signal }, asJson<JobDeleted>),
    async wait(id, { signal } = {}) {
      const poll = { path: path(id, `?wait=${WAIT_SECONDS}`), timeoutMs: WAIT_TIMEOUT_MS, signal };
      for (;;) {
        const job = await send(poll, asJson<JobView>);
        if (hasEnded(job)) return job;
      }
    },
    result,
    events: (id, options = {}) => jobEvents(transport, id, options),
  };

  // The kind is for its type alone.
  async function result(_: ResultKind, id: string, options: AnyResultOptions = {}): Promise<unknown> {
    // A sound is streamed for as long as its reader takes.
    const call = { path: path(id, '/result'), headers: acceptOf(options.as), timeoutMs: null, signal: options.signal };
    return send(call, readResult);
  }
}
