import { createReconciler } from '@aigolos/jobs';
import {
  announcePending,
  countUsage,
  createConsistencySweep,
  expire,
  forgetUsage,
  INCONSISTENCY_KINDS,
} from '@aigolos/lifecycle';
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
  /** Writes down what jobs that ended have used. */
  usage: Sweep;
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
  const counted = new Counter({
    name: 'aigolos_usage_jobs_total',
    help: 'Jobs whose usage was counted',
    registers: [metrics],
  });
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
      await forgetUsage(stores, config.USAGE_DAYS);
      if (Object.values(expired).some((count) => count > 0)) log.info(expired, 'what was due was deleted');
    },
    async usage(signal: AbortSignal) {
      counted.inc(await countUsage(stores, signal));
    },
  };
  return {
    ...sweeps,
    async all(signal) {
      for (const sweep of [sweeps.reconcile, sweeps.usage, sweeps.consistency, sweeps.due]) await sweep(signal);
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
