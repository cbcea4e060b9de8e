import { ConflictError, isFinal, type JobKind, type JobStatus, NotFoundError } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord, JobSummary } from '@aigolos/db';
import { cacheScope, type Place } from '@aigolos/queue';
import { invalidateJob, listScopes } from './cached.ts';
import type { SubmitterDeps } from './deps.ts';
import { tellEnd } from './endings.ts';
import { expiryOf } from './expiry.ts';
import type { Submission, Submitted, SubmittedOnce } from './submission.ts';
import { createSubmitter } from './submit.ts';

/** Submitting jobs and looking after them, as their owner may. */
export interface Jobs {
  /**
   * Once this resolves the job reaches exactly one final state, whatever dies; a Redis that is away only delays it. However
   * often and wherever it is called under one key of an account (`once`), there is one job.
   * @throws ValidationError of a key that stands for another request.
   */
  submit<Kind extends JobKind>(submission: Submission<Kind>): Promise<Submitted<Kind>>;
  /** The job that a key stands for already, for those who would prepare much for a `submit`. @throws as `submit`. */
  findSubmitted(account: string, once: SubmittedOnce): Promise<AnyJobRecord | undefined>;
  /** @throws NotFoundError where there is none, or it is another account's. */
  get(account: string, id: string): Promise<AnyJobRecord>;
  /** As `get`, and cheap to ask again and again: changes that were not made through AIGolos may show a second late. */
  poll(account: string, id: string): Promise<JobSummary>;
  /** Newest first unless `order` is `asc`, and cheap as `poll`. `after` is the id of the last job of the page before. */
  list(filter: {
    account: string;
    limit: number;
    after?: string | undefined;
    kind?: JobKind | undefined;
    status?: JobStatus | undefined;
    metadata?: Record<string, string> | undefined;
    order?: 'asc' | 'desc' | undefined;
  }): Promise<{ jobs: JobSummary[]; hasMore: boolean }>;
  /**
   * The job once it has ended, or as it is after the time, if one is given, or when the signal aborts. Who has just read it, and
   * saw that it had not ended, gives what was `seen`.
   */
  waitForEnd(
    account: string,
    id: string,
    options: { timeoutMs?: number; signal?: AbortSignal; seen?: AnyJobRecord | undefined },
  ): Promise<AnyJobRecord>;
  /** What the job says while it runs, from its beginning; ends with the job. */
  watch(account: string, id: string, signal: AbortSignal): AsyncGenerator<JobNews>;
  /** What a job that has not ended would be gone on with from; nothing where it would begin. */
  checkpointOf(account: string, id: string): Promise<unknown>;
  /** Harmless twice or after the end; returns the job as it is then. @throws ConflictError of an erasure. */
  cancel(account: string, id: string): Promise<AnyJobRecord>;
  /** Chats that were to be stored and have an answer. `after` is the id of the last one of the page before. */
  storedChats(filter: {
    account: string;
    limit: number;
    after?: string | undefined;
    order: 'asc' | 'desc';
    model?: string | undefined;
    metadata: Record<string, string>;
  }): Promise<{ chats: JobRecord<'chat'>[]; hasMore: boolean }>;
  /** Its owner's notes on it, in the place of those before; returns the job with them. @throws NotFoundError */
  note(account: string, id: string, metadata: Record<string, string>): Promise<AnyJobRecord>;
  /** Where a queued job stands in line; undefined where it waits for something else, such as another try, or where the queue is away. */
  place(job: Pick<JobSummary, '_id' | 'kind' | 'step'>): Promise<Place | undefined>;
}

export type JobNews =
  | { type: 'delta'; fence: number; text: string; offset?: number | undefined }
  /** Its record may hold a new checkpoint, or another state. Also told now and then, as news can be lost; then with what was seen. */
  | { type: 'checkpoint'; seen?: JobSummary }
  /** The last one. */
  | { type: 'ended'; job: AnyJobRecord };

/** The record is looked at this often at most while a message that the job has ended may have been lost. */
const LOOK_AGAIN_MS = 1_000;
const LOOK_AGAIN_MAX_MS = 10_000;
/** Who has waited for a minute can wait some seconds more, so that those who wait do not keep the database from the work itself. */
const LOOK_AGAIN_SHARE = 0.25;

/** The time of what was read a moment ago may have come since. */
const isDue = ({ expiresAt }: JobSummary) => expiresAt !== undefined && expiresAt <= new Date();

/** Says, asked every so often, whether it is time to look again: the longer it has been in all, the longer between two looks. */
function looksLessAndLess(): () => boolean {
  const began = Date.now();
  let looked = began;
  return () => {
    const now = Date.now();
    if (now - looked < Math.min((now - began) * LOOK_AGAIN_SHARE, LOOK_AGAIN_MAX_MS)) return false;
    looked = now;
    return true;
  };
}

export function createJobs(deps: SubmitterDeps): Jobs {
  const { db, producer, live, cancels, cache } = deps;

  async function get(account: string, id: string): Promise<AnyJobRecord> {
    const job = await db.jobs.findOwned(account, id);
    if (!job) throw noSuchJob(id);
    return job;
  }

  /**
   * For those who are told of the end by this, and not by the news: what they read next must not be older. Who wrote the end may
   * not have invalidated yet, or have died before.
   */
  async function getSettled(account: string, id: string): Promise<AnyJobRecord> {
    const job = await get(account, id);
    if (isFinal(job.status)) await invalidateJob(cache, job);
    return job;
  }

  async function* watch(account: string, id: string, signal: AbortSignal): AsyncGenerator<JobNews> {
    let ended: AnyJobRecord | undefined;
    for await (const event of live.watch(id, { idleMs: LOOK_AGAIN_MS, signal })) {
      if (event?.type === 'delta' || event?.type === 'checkpoint') {
        yield event;
        continue;
      }
      // Of long ago: pieces of its text come after it.
      if (ended && event?.type === 'changed') continue;
      if (ended) return yield { type: 'ended', job: ended };
      if (event?.type === 'finished') {
        const job = await get(account, id);
        return yield isFinal(job.status) ? { type: 'ended', job } : { type: 'checkpoint', seen: job };
      }
      // A record can be large; whether it has ended is looked at every second.
      const seen = await db.jobs.summaryOf(account, id);
      // The record was quicker than the stream: what it still holds of the text comes before the end.
      if (!seen || isFinal(seen.status)) ended = await getSettled(account, id);
      else yield { type: 'checkpoint', seen };
    }
  }

  return {
    ...createSubmitter(deps),
    get,
    async poll(account, id) {
      const job = await cache.read([cacheScope.job(id)], `job:${account}:${id}`, () => db.jobs.summaryOf(account, id));
      if (!job || isDue(job)) throw noSuchJob(id);
      return job;
    },
    watch,
    checkpointOf: db.jobs.checkpointOf,
    async list({ account, limit, after, ...asked }) {
      const { kind, status, metadata, order } = asked;
      const key = `jobs:${JSON.stringify([account, limit, after, kind, status, metadata, order])}`;
      const found = await cache.read(listScopes(account), key, async () => {
        const last = after === undefined ? undefined : await get(account, after);
        return db.jobs.summaries({ account, limit: limit + 1, after: last, ...asked });
      });
      return { jobs: found.slice(0, limit).filter((job) => !isDue(job)), hasMore: found.length > limit };
    },

    async waitForEnd(account, id, { timeoutMs, signal, seen }) {
      const first = seen && !isFinal(seen.status) ? seen : await getSettled(account, id);
      if (isFinal(first.status)) return first;
      const limits = [timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs), signal];
      const until = AbortSignal.any(limits.filter((limit) => limit !== undefined));
      const isLookDue = looksLessAndLess();
      for await (const isTold of live.ended(id, { idleMs: LOOK_AGAIN_MS, signal: until })) {
        if (isTold) return get(account, id);
        // Of a silence the record is asked whether the last word was lost.
        if (!isLookDue()) continue;
        const state = await db.jobs.summaryOf(account, id);
        if (!state || isFinal(state.status)) return getSettled(account, id);
      }
      return get(account, id);
    },

    async cancel(account, id) {
      const job = await get(account, id);
      if (job.kind === 'erasure') {
        throw new ConflictError(`${id} is an erasure: what was promised to be removed is removed.`, {
          code: 'JOB_NOT_CANCELLABLE',
        });
      }
      const status = await db.jobs.requestCancel(account, id, expiryOf(job, 'cancelled', new Date()));
      if (status === 'cancelled' && job.status === 'queued') {
        await tellEnd(deps, job, { status });
        await producer.remove({ id, kind: job.kind, step: job.step }).catch(() => {});
      } else {
        await invalidateJob(cache, job);
        await cancels.send(id);
      }
      return get(account, id);
    },

    async storedChats({ after, limit, ...filter }) {
      const last = after === undefined ? undefined : await get(filter.account, after);
      const found = await db.jobs.storedChats({ ...filter, limit: limit + 1, after: last });
      return { chats: found.slice(0, limit), hasMore: found.length > limit };
    },
    async note(account, id, metadata) {
      const job = await get(account, id);
      await db.jobs.setMetadata(account, id, metadata);
      await invalidateJob(cache, job);
      return get(account, id);
    },

    place: ({ _id: id, kind, step }) => producer.place({ id, kind, step }).catch(() => undefined),
  };
}

function noSuchJob(id: string): NotFoundError {
  return new NotFoundError(`There is no job ${id}.`, { code: 'JOB_NOT_FOUND' });
}
