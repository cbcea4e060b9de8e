import {
  ConflictError,
  type ErasureScope,
  isFinal,
  type Jwks,
  NotFoundError,
  UnavailableError,
} from '@aigolos/contracts';
import type { AnyJobRecord, Database, JobRecord } from '@aigolos/db';
import type { JobRunner, Jobs } from '@aigolos/jobs';
import { type ErasureTerms, findOpenErasure, receiptKeys, requestErasure } from '@aigolos/lifecycle';
import type { Producer, QueuedJob } from '@aigolos/queue';
import { type Logger, messageOf } from '@aigolos/runtime';

export interface ErasuresDeps {
  db: Pick<Database, 'jobs' | 'conversations' | 'erasures'>;
  jobs: Pick<Jobs, 'waitForEnd'>;
  runner: Pick<JobRunner, 'handle' | 'abortAll'>;
  producer: Pick<Producer, 'add'>;
  log: Logger;
}

export type Erasure = JobRecord<'erasure'>;

/** Erasing what an account has. An erasure is promised first, and run here or by worker-maintenance, which goes on with what is left of it. */
export interface Erasures {
  /**
   * The erasure as it is after one attempt, or when the signal aborts; it goes on then. One of the same that is under way
   * is gone on with.
   * @throws NotFoundError where the account has no such thing.
   */
  erase(account: string, wish: { scope: ErasureScope } & ErasureTerms, until: AbortSignal): Promise<Erasure>;
  /** The same of a job that has ended, whose record is gone then. @throws ConflictError while it has not. */
  deleteJob(account: string, id: string, until: AbortSignal): Promise<Erasure>;
  /** The same of a conversation, whose record is gone then. */
  deleteConversation(account: string, id: string, until: AbortSignal): Promise<Erasure>;
  /** Anybody's where no account is given. @throws NotFoundError */
  get(id: string, account?: string): Promise<Erasure>;
  /** Newest first. `after` is the id of the last one of the page before. */
  list(filter: { account: string; limit: number; after?: string | undefined }): Promise<{
    erasures: Erasure[];
    hasMore: boolean;
  }>;
  keys(): Promise<Jwks>;
  /** Gives back what still runs here. */
  close(): Promise<void>;
}

export function createErasures({ db, jobs, runner, producer, log }: ErasuresDeps): Erasures {
  const running = new Set<Promise<void>>();

  /** An account's backups lie where worker-maintenance is: it alone erases accounts. */
  async function attempt({ _id: id, account, priority, task }: Erasure, until: AbortSignal): Promise<void> {
    if (task.scope.type === 'account') {
      await handOver({ id, account, priority });
      return void (await jobs.waitForEnd(account, id, { signal: until }));
    }
    if ((await runner.handle(id)) !== 'done') await handOver({ id, account, priority });
  }

  async function handOver(erasure: Omit<QueuedJob, 'kind'>): Promise<void> {
    const { id } = erasure;
    await producer.add({ ...erasure, kind: 'erasure' }).catch((error: unknown) => {
      log.warn({ jobId: id, reason: messageOf(error) }, 'the queue is away; the reconciler will add this erasure');
    });
  }

  async function promise(account: string, wish: { scope: ErasureScope } & ErasureTerms): Promise<Erasure> {
    const { scope } = wish;
    if (scope.type === 'job') assertNoErasure(await jobOf(account, scope.id));
    else if (scope.type === 'conversation' && !(await db.conversations.findOwned(account, scope.id))) {
      throw new NotFoundError(`There is no conversation ${scope.id}.`, { code: 'CONVERSATION_NOT_FOUND' });
    }
    return requestErasure({ db }, account, wish);
  }

  async function jobOf(account: string, id: string): Promise<AnyJobRecord> {
    const job = await db.jobs.findOwned(account, id);
    if (!job) throw new NotFoundError(`There is no job ${id}.`, { code: 'JOB_NOT_FOUND' });
    return job;
  }

  async function get(id: string, account?: string): Promise<Erasure> {
    const owner = account ?? (await db.jobs.accountOf(id));
    const job = owner === undefined ? undefined : await db.jobs.findOwned(owner, id);
    if (job?.kind !== 'erasure') throw new NotFoundError(`There is no erasure ${id}.`, { code: 'JOB_NOT_FOUND' });
    return job;
  }

  const erasures: Erasures = {
    get,
    async erase(account, wish, until) {
      const erasure = (await findOpenErasure({ db }, account, wish.scope)) ?? (await promise(account, wish));
      const { _id: id } = erasure;
      const attempted = attempt(erasure, until).catch((error: unknown) => {
        log.error({ jobId: id, err: error }, 'erasing failed');
      });
      running.add(attempted);
      void attempted.finally(() => running.delete(attempted));
      await Promise.race([attempted, aborted(until)]);
      return get(id, account);
    },

    async deleteJob(account, id, until) {
      const job = await jobOf(account, id);
      assertNoErasure(job);
      if (!isFinal(job.status)) {
        throw new ConflictError(`Job ${id} is ${job.status}; cancel it and wait for its end before you delete it.`, {
          code: 'JOB_NOT_DELETABLE',
        });
      }
      const erasure = await erasures.erase(account, { scope: { type: 'job', id } }, until);
      assertGone((await db.jobs.findOwned(account, id)) !== undefined, erasure);
      return erasure;
    },

    async deleteConversation(account, id, until) {
      const erasure = await erasures.erase(account, { scope: { type: 'conversation', id } }, until);
      assertGone((await db.conversations.findOwned(account, id)) !== undefined, erasure);
      return erasure;
    },

    async list({ account, limit, after }) {
      const last = after === undefined ? undefined : await get(after, account);
      const found = await db.jobs.list({ account, limit: limit + 1, after: last, kind: 'erasure' });
      return { erasures: found.slice(0, limit) as Erasure[], hasMore: found.length > limit };
    },
    keys: () => receiptKeys(db),
    async close() {
      runner.abortAll();
      await Promise.all(running);
    },
  };
  return erasures;
}

/** @throws UnavailableError where the thing itself, and not only what belongs to it, is still there. */
function assertGone(stillThere: boolean, { _id: id }: Erasure): void {
  if (stillThere) throw new UnavailableError(`It is being erased: GET /v1/erasures/${id} tells how far that is.`);
}

function assertNoErasure({ _id: id, kind }: AnyJobRecord): void {
  if (kind !== 'erasure') return;
  throw new ConflictError(`${id} is the record of an erasure, which is kept as its proof.`, {
    code: 'JOB_NOT_DELETABLE',
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
