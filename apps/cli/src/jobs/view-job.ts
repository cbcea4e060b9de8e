import { createQueueInspection, type QueuePlace } from '@aigolos/queue';
import type { Installation } from '../open-installation.ts';
import { toSummary } from './list-jobs.ts';

/** Where the queue has a job, as far as it could be asked. */
export type PlaceSeen = QueuePlace | { state: 'no_redis_known' | 'redis_away' };

export type JobInspection = NonNullable<Awaited<ReturnType<typeof inspectJob>>>;

/** Everything that an operator may know of a job, from all stores; nothing of what was said in it. */
export async function inspectJob({ db, blobs, redis }: Installation, id: string) {
  const job = await db.inspection.job(id);
  if (!job) return undefined;
  const [place, webhooks, files, account] = await Promise.all([
    placeOf(redis, id),
    db.inspection.deliveriesOf(id),
    Array.fromAsync(blobs.list(id)),
    db.access.accountById(job.account),
  ]);
  const { attempts = [], leaseUntil, worker, startBy, finishBy, cancelRequestedAt } = job;
  return {
    ...toSummary(job),
    username: account?.username ?? null,
    fence: job.fence,
    /** Of records of earlier versions there are none. */
    attempts: attempts.map(({ endedAt = null, outcome = null, error = null, ...begun }) => ({
      ...begun,
      endedAt,
      outcome,
      error,
    })),
    lease: leaseUntil ? { until: leaseUntil, worker: worker ?? null } : null,
    startBy: startBy ?? null,
    finishBy: finishBy ?? null,
    cancelRequestedAt: cancelRequestedAt ?? null,
    idempotencyKeyUntil: job.idempotencyKeyUntil ?? null,
    queue: place,
    checkpoint: job.checkpoint === undefined ? null : summaryOf(job.checkpoint),
    messagesPending: job.messagesPending ?? false,
    webhooksPending: job.webhooksPending ?? false,
    files,
    inputDeletedAt: job.inputDeletedAt ?? null,
    outputDeletedAt: job.outputDeletedAt ?? null,
    webhooks: webhooks.map(({ _id, type, endpoint, status, attempts: tries, nextAttemptAt, settledAt }) => ({
      id: _id,
      type,
      endpoint: endpoint ?? null,
      status,
      attempts: tries.length,
      lastError: tries.at(-1)?.error ?? null,
      nextAttemptAt: status === 'pending' ? nextAttemptAt : null,
      settledAt: settledAt ?? null,
    })),
  };
}

async function placeOf(redis: Installation['redis'], id: string): Promise<PlaceSeen> {
  if (!redis) return { state: 'no_redis_known' };
  return createQueueInspection(redis.producer)
    .placeOf(id)
    .catch(() => ({ state: 'redis_away' as const }));
}

/** Its size, its numbers, and of its lists how long they are: whatever a processor keeps, its texts stay where they are. */
function summaryOf(checkpoint: unknown): Record<string, number> {
  const bytes = Buffer.byteLength(JSON.stringify(checkpoint) ?? '');
  if (typeof checkpoint !== 'object' || checkpoint === null) return { bytes };
  const counts = Object.entries(checkpoint).flatMap(([name, value]): [string, number][] => {
    if (typeof value === 'number') return [[name, value]];
    return Array.isArray(value) ? [[name, value.length]] : [];
  });
  return { bytes, ...Object.fromEntries(counts) };
}
