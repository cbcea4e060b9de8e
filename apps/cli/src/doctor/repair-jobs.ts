import { createReconciler } from '@aigolos/jobs';
import { announcePending } from '@aigolos/lifecycle';
import { createReadCache } from '@aigolos/queue';
import { createMetrics } from '@aigolos/runtime';
import type { Installation } from '../open-installation.ts';

/**
 * What worker-maintenance does for jobs that nobody takes care of, once and now. @returns how many were mended, by the name of
 * the repair.
 */
export async function repairJobs(
  { db, log, redis }: Installation & { redis: NonNullable<Installation['redis']> },
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const { producer, live, config } = redis;
  const cache = await createReadCache(config, log);
  try {
    const metrics = createMetrics('cli');
    await createReconciler({ db, producer, live, cache, log }, metrics).sweep(signal);
    const repairs = await metrics.getSingleMetric('aigolos_reconciler_repairs_total')?.get();
    const counted = repairs?.values.map(({ labels, value }) => [String(labels.repair), value] as const) ?? [];
    return {
      ...Object.fromEntries(counted),
      idempotency_key_freed: await db.jobs.freeIdempotencyKeys(new Date()),
      end_announced: await announcePending({ db, producer, log }, signal),
    };
  } finally {
    await cache.close();
  }
}
