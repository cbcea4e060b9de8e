import { createReconciler } from '@aigolos/jobs';
import { announcePending, createOrphanSweep, expire } from '@aigolos/lifecycle';
import type { Registry } from '@aigolos/runtime';
import type { Config } from './config.ts';
import type { Stores } from './stores.ts';

type Sweep = (signal: AbortSignal) => Promise<void>;

export interface Sweeps {
  /** Puts jobs back that nobody takes care of, and writes what is still to be written of finished ones. */
  reconcile: Sweep;
  /** Deletes files without a record. */
  orphans: Sweep;
  /** Deletes what is due. */
  due: Sweep;
  /** All of them, after changes that nobody saw. */
  all: Sweep;
}

/** What looks over the data as it is, and so finds what no change told of. */
export function createSweeps(config: Config, stores: Stores, metrics: Registry): Sweeps {
  const { log } = stores;
  const reconciler = createReconciler(stores, metrics);
  const orphanSweep = createOrphanSweep({ ...stores, graceMs: config.ORPHAN_GRACE_MS });
  const sweeps = {
    async reconcile(signal: AbortSignal) {
      await reconciler.sweep(signal);
      const announced = await announcePending(stores, signal);
      if (announced > 0) log.info({ announced }, 'ends of jobs that nobody had reacted to were announced');
    },
    async orphans(signal: AbortSignal) {
      const removed = await orphanSweep.sweep(signal);
      if (removed > 0) log.info({ removed }, 'files without a record were deleted');
    },
    async due(signal: AbortSignal) {
      const expired = await expire(stores, new Date(), signal);
      if (Object.values(expired).some((count) => count > 0)) log.info(expired, 'what was due was deleted');
    },
  };
  return {
    ...sweeps,
    async all(signal) {
      for (const sweep of [sweeps.reconcile, sweeps.orphans, sweeps.due]) await sweep(signal);
    },
  };
}
