import { amountsOf, isFinal, NO_AMOUNTS } from '@aigolos/contracts';
import type { WaitingJob } from '@aigolos/db';
import { cacheScope } from '@aigolos/queue';
import { Counter, type Registry } from '@aigolos/runtime';
import type { ReconcilerDeps } from './deps.ts';
import { expireJob } from './endings.ts';
import { inLine } from './in-line.ts';
import { wakeNextTurn, writeTurn } from './turns.ts';

export interface Reconciler {
  /** Looks once over all jobs that have not ended and mends what no process takes care of any more. */
  sweep(signal: AbortSignal): Promise<void>;
}

const QUEUED_GRACE_MS = 2_000;
const LOOKUPS_AT_ONCE = 1_000;
const WRITES_AT_ONCE = 50;
const BATCH = 1_000;
/** The job of a reservation is inserted within this time, or never. */
const RESERVED_GRACE_MS = 60_000;
const REPAIRS = ['requeued', 'lease_expired', 'expired', 'messages_written', 'reservation_settled'] as const;

/** MongoDB is the truth: what Redis forgot, or a dead process left behind, comes back to the queue from here. */
export function createReconciler(
  deps: ReconcilerDeps,
  metrics: Registry,
  /** For tests. */
  { reservedGraceMs = RESERVED_GRACE_MS }: { reservedGraceMs?: number } = {},
): Reconciler {
  const { db, producer, cache, log } = deps;
  const repairs = new Counter({
    name: 'aigolos_reconciler_repairs_total',
    help: 'What the reconciler mended',
    labelNames: ['repair'],
    registers: [metrics],
  });
  for (const repair of REPAIRS) repairs.inc({ repair }, 0);

  function mended(jobId: string, repair: (typeof REPAIRS)[number]): void {
    repairs.inc({ repair });
    log.info({ jobId, repair }, 'a job that nobody took care of was mended');
  }

  async function unknownOf<T extends WaitingJob>(jobs: T[]): Promise<T[]> {
    const unknown = await producer.unknown(jobs.map(({ _id: id, kind, step }) => ({ id, kind, step })));
    const ids = new Set(unknown.map(({ id }) => id));
    return jobs.filter(({ _id }) => ids.has(_id));
  }

  async function addAll(jobs: { _id: string }[]): Promise<void> {
    const fields = await db.jobs.queueFieldsOf(jobs.map(({ _id }) => _id));
    const line = new Map(fields.map((job) => [job._id, inLine(job)]));
    // In the order in which they were queued: within an account that is the order in which they begin.
    const inOrder = jobs.map(({ _id }) => line.get(_id)).filter((job) => job !== undefined);
    await Promise.all(inOrder.map((job) => producer.add(job)));
  }

  async function expireOverdue(signal: AbortSignal): Promise<void> {
    for (const job of await db.jobs.overdueAt(new Date(), BATCH)) {
      signal.throwIfAborted();
      if (await expireJob(deps, job)) mended(job._id, 'expired');
    }
  }

  async function addForgotten(signal: AbortSignal): Promise<void> {
    const queued = db.jobs.queuedBefore(new Date(Date.now() - QUEUED_GRACE_MS));
    for await (const batch of batches(queued, LOOKUPS_AT_ONCE)) {
      const forgotten = await unknownOf(batch);
      for await (const some of batches(forgotten, WRITES_AT_ONCE)) {
        signal.throwIfAborted();
        await addAll(some);
        for (const { _id } of some) mended(_id, 'requeued');
      }
    }
  }

  async function releaseAbandoned(signal: AbortSignal): Promise<void> {
    const abandoned = await db.jobs.leaseExpiredBefore(new Date(), BATCH);
    // One that the queue knows is handed out again by the queue itself.
    for (const job of await unknownOf(abandoned)) {
      signal.throwIfAborted();
      if (!(await db.jobs.releaseExpired(job._id, job.fence))) continue;
      await cache.invalidate(cacheScope.job(job._id), cacheScope.allLists);
      await addAll([job]);
      mended(job._id, 'lease_expired');
    }
  }

  async function writeMessages(signal: AbortSignal): Promise<void> {
    for (const job of await db.jobs.messagesPending(BATCH)) {
      signal.throwIfAborted();
      await writeTurn(db, job);
      await wakeNextTurn(deps, job);
      mended(job._id, 'messages_written');
    }
  }

  /** Of jobs that ended without anybody to tell of it, and of those that were never there or are gone. */
  async function settleReservations(signal: AbortSignal): Promise<void> {
    const held = db.quotas.heldBefore(new Date(Date.now() - reservedGraceMs));
    for await (const some of batches(held, LOOKUPS_AT_ONCE)) {
      const found = await db.jobs.endsOf(some.map(({ job }) => job));
      const byId = new Map(found.map((job) => [job._id, job]));
      for (const { account, job: id, reservation } of some) {
        signal.throwIfAborted();
        const job = byId.get(id);
        if (job && !isFinal(job.status)) continue;
        const used = job ? amountsOf(job) : NO_AMOUNTS;
        if (await db.quotas.settle(account, id, { reservation, used })) mended(id, 'reservation_settled');
      }
    }
  }

  return {
    async sweep(signal) {
      const mends = [expireOverdue, addForgotten, releaseAbandoned, writeMessages, settleReservations];
      for (const mend of mends) await mend(signal);
    },
  };
}

async function* batches<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
