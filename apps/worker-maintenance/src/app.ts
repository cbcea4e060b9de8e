import { randomUUID } from 'node:crypto';
import { openBlobStore } from '@aigolos/blob-store';
import { openDatabase } from '@aigolos/db';
import { createReconciler } from '@aigolos/jobs';
import { createOrphanSweep, createReactions, deleteExpiredJobs } from '@aigolos/lifecycle';
import { createLiveStreams, createProducer, startSchedule } from '@aigolos/queue';
import { type App, createCloser, createMetrics, type Logger, startHealthServer, startPeriodic } from '@aigolos/runtime';
import type { Config } from './config.ts';
import { startLeadership } from './leadership.ts';
import { createReactors } from './reactors.ts';

/** Everything that happens by itself: reactions to changes, the reconciler, searches for orphans, scheduled cleanup. */
export function createApp(config: Config, log: Logger): App {
  const closer = createCloser();
  const metrics = createMetrics('worker-maintenance');
  const stopping = new AbortController();

  return {
    async start() {
      const db = await openDatabase(config.MONGO_URL);
      closer.add(() => db.close());
      await db.prepare();
      const blobs = openBlobStore(config);
      const live = await createLiveStreams(config, log);
      closer.add(() => live.close());
      const producer = await createProducer(config, log);
      closer.add(() => producer.close());

      const reconciler = createReconciler({ db, producer, live, log }, metrics);
      const orphans = createOrphanSweep({ db, blobs });
      const sweepOrphans = async (signal: AbortSignal) => {
        const removed = await orphans.sweep(signal);
        if (removed > 0) log.info({ removed }, 'files without a record were deleted');
      };
      const reactors = createReactors({
        db,
        reactions: createReactions({ db, blobs }),
        onHistoryLost: () => sweepOrphans(stopping.signal),
        metrics,
        log,
      });
      const leadership = startLeadership({
        leases: db.leases,
        name: 'maintenance',
        holder: randomUUID(),
        log,
        async lead(signal) {
          const periodic = (intervalMs: number, run: (signal: AbortSignal) => Promise<void>, what: string) =>
            startPeriodic({ intervalMs, run, onError: (error) => log.warn({ err: error }, `${what} failed`) });
          const reconciling = periodic(config.RECONCILE_EVERY_MS, reconciler.sweep, 'the reconciler');
          const searching = periodic(config.ORPHAN_SWEEP_EVERY_MS, sweepOrphans, 'the search for orphans');
          try {
            await reactors.run(signal);
          } finally {
            await Promise.all([reconciling.stop(), searching.stop()]);
          }
        },
      });
      closer.add(() => leadership.stop());

      const cleanup = async () => {
        const deleted = await deleteExpiredJobs({ db }, new Date(), stopping.signal);
        log.info({ deleted }, 'expired jobs were deleted');
      };
      const schedule = await startSchedule(config, [{ name: 'cleanup', cron: config.CLEANUP_CRON, run: cleanup }], log);
      closer.add(() => schedule.close());

      if (config.HEALTH_PORT !== undefined) {
        const checks = { database: () => db.ping(), queue: () => producer.ping() };
        const health = await startHealthServer({ host: config.HEALTH_HOST, port: config.HEALTH_PORT, checks, metrics });
        closer.add(() => health.close());
      }
      log.info('ready');
    },
    stop() {
      stopping.abort();
      return closer.closeAll();
    },
  };
}
