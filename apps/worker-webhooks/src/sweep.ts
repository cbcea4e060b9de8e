import type { Database } from '@aigolos/db';
import type { Producer } from '@aigolos/queue';
import type { Logger } from '@aigolos/runtime';
import type { DeliveryMetrics } from './metrics.ts';

export interface SweepDeps {
  db: Pick<Database, 'webhooks'>;
  producer: Pick<Producer, 'addDelivery' | 'knowsDelivery'>;
  metrics: DeliveryMetrics;
  log: Logger;
}

const BATCH = 100;

/**
 * Puts deliveries back that are due and that the queue does not know: never told, or forgotten. And drops rows whose time has
 * come. Every process may do so at any time: the row decides, not the queue.
 */
export function createSweep({ db, producer, metrics, log }: SweepDeps): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    const now = new Date();
    let oldest: Date | undefined;
    let added = 0;
    const putBack = async (ids: string[]) => {
      const known = await Promise.all(ids.map((id) => producer.knowsDelivery(id)));
      const lost = ids.filter((_, index) => !known[index]);
      await Promise.all(lost.map((id) => producer.addDelivery(id)));
      added += lost.length;
    };
    let batch: string[] = [];
    for await (const { _id, nextAttemptAt } of await db.webhooks.dueDeliveries(now)) {
      if (signal.aborted) return;
      oldest ??= nextAttemptAt;
      batch.push(_id);
      if (batch.length < BATCH) continue;
      await putBack(batch);
      batch = [];
    }
    await putBack(batch);
    metrics.pendingAge.set(oldest ? (now.getTime() - oldest.getTime()) / 1_000 : 0);
    if (added > 0) log.info({ added }, 'webhooks that the queue did not know were put on it');
    const pruned = await db.webhooks.pruneDeliveries(now);
    if (pruned > 0) log.info({ pruned }, 'old webhooks were dropped');
  };
}
