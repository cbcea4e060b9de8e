import type { JobKind } from '@aigolos/contracts';
import { cacheScope } from '@aigolos/queue';
import { Counter, type Registry } from '@aigolos/runtime';
import type { JobsDeps } from './deps.ts';
import { writeTurn } from './turns.ts';

export interface Reconciler {
  /** Looks once over all jobs that have not ended and mends what no process takes care of any more. */
  sweep(signal: AbortSignal): Promise<void>;
}

const QUEUED_GRACE_MS = 3_000;
const LOOKUPS_AT_ONCE = 50;
const BATCH = 1_000;

/** MongoDB is the truth: what Redis forgot, or a dead process left behind, comes back to the queue from here. */
export function createReconciler({ db, producer, cache, log }: JobsDeps, metrics: Registry): Reconciler {
  const repairs = new Counter({
    name: 'aigolos_reconciler_repairs_total',
    help: 'What the reconciler mended',
    labelNames: ['repair'],
    registers: [metrics],
  });
  for (const repair of ['requeued', 'lease_expired', 'messages_written']) repairs.inc({ repair }, 0);

  async function addUnknown(job: { _id: string; kind: JobKind }, repair: string): Promise<void> {
    const reference = { id: job._id, kind: job.kind };
    if (await producer.knows(reference)) return;
    await producer.add(reference);
    repairs.inc({ repair });
    log.info({ jobId: job._id, repair }, 'a job was put back on its queue');
  }

  return {
    async sweep(signal) {
      for await (const batch of batches(
        db.jobs.queuedBefore(new Date(Date.now() - QUEUED_GRACE_MS)),
        LOOKUPS_AT_ONCE,
      )) {
        signal.throwIfAborted();
        await Promise.all(batch.map((job) => addUnknown(job, 'requeued')));
      }
      for (const job of await db.jobs.leaseExpiredBefore(new Date(), BATCH)) {
        signal.throwIfAborted();
        // One that the queue knows is handed out again by the queue itself.
        if (await producer.knows({ id: job._id, kind: job.kind })) continue;
        if (!(await db.jobs.releaseExpired(job._id, job.fence))) continue;
        await cache.invalidate(cacheScope.job(job._id), cacheScope.allLists);
        await addUnknown(job, 'lease_expired');
      }
      for (const job of await db.jobs.messagesPending(BATCH)) {
        signal.throwIfAborted();
        await writeTurn(db, job);
        repairs.inc({ repair: 'messages_written' });
      }
    },
  };
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
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
