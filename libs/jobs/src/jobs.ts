import {
  ConflictError,
  isFinal,
  type JobKind,
  type JobStatus,
  NotFoundError,
  newId,
  type RetentionPolicy,
  type RetentionWish,
  resolveRetention,
  type TaskOf,
} from '@aigolos/contracts';
import { type AnyJobRecord, type JobRecord, type JobSummary, newJobRecord } from '@aigolos/db';
import { cacheScope } from '@aigolos/queue';
import { messageOf } from '@aigolos/runtime';
import { invalidateJob, listScopes } from './cached.ts';
import type { SubmitterDeps } from './deps.ts';
import { expiryOf } from './expiry.ts';

export interface Submission<Kind extends JobKind> {
  kind: Kind;
  /** Given where blobs were stored under it already. */
  id?: string;
  account: string;
  task: TaskOf[Kind];
  metadata?: Record<string, string>;
  warnings?: string[];
  /** What the request asks for; the rest is the account's and the installation's to say. */
  retention?: RetentionWish | undefined;
  /** Where the request wants its end to be told, beside the account's endpoints. */
  webhookUrl?: string | undefined;
}

/** Submitting jobs and looking after them, as their owner may. */
export interface Jobs {
  /** Once this resolves the job reaches exactly one final state, whatever dies; a Redis that is away only delays it. */
  submit<Kind extends JobKind>(submission: Submission<Kind>): Promise<JobRecord<Kind>>;
  /** @throws NotFoundError where there is none, or it is another account's. */
  get(account: string, id: string): Promise<AnyJobRecord>;
  /** As `get`, and cheap to ask again and again: changes that were not made through AIGolos may show a second late. */
  poll(account: string, id: string): Promise<JobSummary>;
  /** Newest first, and cheap as `poll`. `after` is the id of the last job of the page before. */
  list(filter: {
    account: string;
    limit: number;
    after?: string | undefined;
    kind?: JobKind | undefined;
    status?: JobStatus | undefined;
  }): Promise<{ jobs: JobSummary[]; hasMore: boolean }>;
  /** The job once it has ended, or as it is after the time, if one is given, or when the signal aborts. */
  waitForEnd(account: string, id: string, options: { timeoutMs?: number; signal?: AbortSignal }): Promise<AnyJobRecord>;
  /** What the job says while it runs, from its beginning; ends with the job. */
  watch(account: string, id: string, signal: AbortSignal): AsyncGenerator<JobNews>;
  /** Harmless twice or after the end; returns the job as it is then. @throws ConflictError of an erasure. */
  cancel(account: string, id: string): Promise<AnyJobRecord>;
  /** How many jobs of its kind stand before a queued one; other accounts' jobs may show a second late. */
  queuePosition(job: JobSummary): Promise<number>;
}

export type JobNews =
  | { type: 'delta'; fence: number; text: string }
  /** The last one. */
  | { type: 'ended'; job: AnyJobRecord };

/** The record is looked at this often while a message that the job has ended may have been lost. */
const LOOK_AGAIN_MS = 1_000;

/** The time of what was read a moment ago may have come since. */
const isDue = ({ expiresAt }: JobSummary) => expiresAt !== undefined && expiresAt <= new Date();

export function createJobs(deps: SubmitterDeps): Jobs {
  const { db, producer, live, cancels, cache, log } = deps;

  async function get(account: string, id: string): Promise<AnyJobRecord> {
    const job = await db.jobs.findOwned(account, id);
    if (!job) throw noSuchJob(id);
    return job;
  }

  /**
   * For those who are told of the end by this: what they read next must not be older. Who wrote the end may not have
   * invalidated yet, or have died before.
   */
  async function getSettled(account: string, id: string): Promise<AnyJobRecord> {
    const job = await get(account, id);
    if (isFinal(job.status)) await invalidateJob(cache, job);
    return job;
  }

  async function* watch(account: string, id: string, signal: AbortSignal): AsyncGenerator<JobNews> {
    let ended: AnyJobRecord | undefined;
    for await (const event of live.watch(id, { idleMs: LOOK_AGAIN_MS, signal })) {
      if (event?.type === 'delta') {
        yield event;
        continue;
      }
      if (ended) return yield { type: 'ended', job: ended };
      const job = await getSettled(account, id);
      if (!isFinal(job.status)) continue;
      if (event?.type === 'finished') return yield { type: 'ended', job };
      // The record was quicker than the stream: what it still holds of the text comes before the end.
      ended = job;
    }
  }

  return {
    get,
    async poll(account, id) {
      const job = await cache.read([cacheScope.job(id)], `job:${account}:${id}`, () => db.jobs.summaryOf(account, id));
      if (!job || isDue(job)) throw noSuchJob(id);
      return job;
    },
    watch,
    async submit(submission) {
      const { kind, id = newId(kind), account, task, retention: wanted, webhookUrl } = submission;
      const { metadata = {}, warnings = [] } = submission;
      const settings = await db.access.accountById(account);
      const retention = resolveRetention(deps.retention, { request: wanted, account: settings?.retention });
      const turn = await takeTurn(kind, task, { wanted: wanted?.conversation, retention });
      const called = webhookUrl !== undefined && { webhookUrl };
      const job = newJobRecord({ _id: id, kind, account, task, warnings, metadata, retention, ...turn, ...called });
      await db.jobs.insert(job);
      const added = producer.add({ id, kind }).catch((error: unknown) => {
        log.warn({ jobId: id, reason: messageOf(error) }, 'the queue is away; the reconciler will add this job');
      });
      await Promise.all([added, invalidateJob(cache, job)]);
      return job;
    },

    async list({ account, limit, after, kind, status }) {
      const key = `jobs:${JSON.stringify([account, limit, after, kind, status])}`;
      const found = await cache.read(listScopes(account), key, async () => {
        const last = after === undefined ? undefined : await get(account, after);
        return db.jobs.summaries({ account, limit: limit + 1, after: last, kind, status });
      });
      return { jobs: found.slice(0, limit).filter((job) => !isDue(job)), hasMore: found.length > limit };
    },

    async waitForEnd(account, id, { timeoutMs, signal }) {
      const first = await getSettled(account, id);
      if (isFinal(first.status)) return first;
      const limits = [timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs), signal];
      const until = AbortSignal.any(limits.filter((limit) => limit !== undefined));
      for await (const news of watch(account, id, until)) if (news.type === 'ended') return news.job;
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
      await invalidateJob(cache, job);
      if (status === 'cancelled' && job.status === 'queued') {
        await producer.remove({ id, kind: job.kind }).catch(() => {});
        await live.publish(id, { type: 'finished', fence: job.fence });
      } else {
        await cancels.send(id);
      }
      return get(account, id);
    },

    queuePosition: ({ _id: id, account, kind, queuedAt }) =>
      cache.read(listScopes(account), `position:${id}:${queuedAt.getTime()}`, () =>
        db.jobs.queuedAhead(kind, queuedAt),
      ),
  };

  async function takeTurn(
    kind: JobKind,
    task: TaskOf[JobKind],
    { wanted, retention }: { wanted: number | null | undefined; retention: RetentionPolicy },
  ): Promise<{ conversation?: string; turn?: number; retention?: RetentionPolicy }> {
    if (kind !== 'chat' || !('conversation' in task) || !task.conversation) return {};
    const conversation = task.conversation;
    const taken = await db.conversations.takeTurn(conversation, { wanted, otherwise: retention.conversation });
    if (!taken) {
      throw new NotFoundError(`There is no conversation ${conversation} any more; send "new" to begin one.`, {
        code: 'CONVERSATION_NOT_FOUND',
        param: 'conversation',
      });
    }
    return { conversation, turn: taken.turn, retention: { ...retention, conversation: taken.retentionSeconds } };
  }
}

function noSuchJob(id: string): NotFoundError {
  return new NotFoundError(`There is no job ${id}.`, { code: 'JOB_NOT_FOUND' });
}
