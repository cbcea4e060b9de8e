import { createReconciler } from '@aigolos/jobs';
import { announcePending, createConsistencySweep, expire, INCONSISTENCY_KINDS } from '@aigolos/lifecycle';
import { Counter, Gauge, type Registry } from '@aigolos/runtime';
import type { Config } from './config.ts';
import type { Stores } from './stores.ts';

type Sweep = (signal: AbortSignal) => Promise<void>;

export interface Sweeps {
  /** Puts jobs back that nobody takes care of, and writes what is still to be written of finished ones. */
  reconcile: Sweep;
  /** Mends what belongs together and is not together. */
  consistency: Sweep;
  /** Deletes what is due. */
  due: Sweep;
  /** All of them, after changes that nobody saw. */
  all: Sweep;
}

/** What looks over the data as it is, and so finds what no change told of. */
export function createSweeps(config: Config, stores: Stores, metrics: Registry): Sweeps {
  const { log } = stores;
  const reconciler = createReconciler(stores, metrics);
  const consistency = createConsistencySweep(stores, {
    graceMs: config.CONSISTENCY_GRACE_MS,
    onRepaired: ({ kind, id, detail }) => log.info({ repair: kind, id }, `mended: ${detail}`),
  });
  const { found, repaired } = createConsistencyMetrics(metrics);
  const sweeps = {
    async reconcile(signal: AbortSignal) {
      await reconciler.sweep(signal);
      const announced = await announcePending(stores, signal);
      repaired.inc({ kind: 'job_without_webhook_rows' }, announced);
      if (announced > 0) log.info({ announced }, 'ends of jobs that nobody had reacted to were announced');
    },
    async consistency(signal: AbortSignal) {
      const counts = await consistency.sweep(signal);
      for (const kind of INCONSISTENCY_KINDS) {
        found.set({ kind }, counts.found[kind]);
        repaired.inc({ kind }, counts.repaired[kind]);
      }
    },
    async due(signal: AbortSignal) {
      const expired = await expire(stores, new Date(), signal);
      await stores.db.jobs.freeIdempotencyKeys(new Date());
      if (Object.values(expired).some((count) => count > 0)) log.info(expired, 'what was due was deleted');
    },
  };
  return {
    ...sweeps,
    async all(signal) {
      for (const sweep of [sweeps.reconcile, sweeps.consistency, sweeps.due]) await sweep(signal);
    },
  };
}

function createConsistencyMetrics(registry: Registry) {
  const labelNames = ['kind'] as const;
  const found = new Gauge({
    name: 'aigolos_inconsistencies',
    help: 'What the last look found that does not fit together, or is just being written',
    labelNames,
    registers: [registry],
  });
  const repaired = new Counter({
    name: 'aigolos_inconsistencies_repaired_total',
    help: 'What did not fit together and was mended',
    labelNames,
    registers: [registry],
  });
  return { found, repaired };
}
