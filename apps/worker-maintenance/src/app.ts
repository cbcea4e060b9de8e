import { randomUUID } from 'node:crypto';
import { openBlobStore } from '@aigolos/blob-store';
import { openDatabase } from '@aigolos/db';
import { createReconciler } from '@aigolos/jobs';
import { createOrphanSweep, createReactions } from '@aigolos/lifecycle';
import { createCancelSender, createLiveStreams, createProducer, startSchedule } from '@aigolos/queue';
import { type App, createCloser, createMetrics, type Logger, startHealthServer } from '@aigolos/runtime';
import type { Config } from './config.ts';
import { createDuties } from './duties.ts';
import { startLeadership } from './leadership.ts';
import { createReactors } from './reactors.ts';
import { createTaskRunner } from './task-runner.ts';
import { createTasks } from './tasks.ts';

/** A watcher that has been without news for longer makes its process unready. */
const BROKEN_TOLERATED_SECONDS = 30;

/** Everything that happens by itself: reactions to changes, the reconciler, searches for orphans, scheduled tasks. */
export function createApp(config: Config, log: Logger): App {
  const closer = createCloser();
  const metrics = createMetrics('worker-maintenance');
  const stopping = new AbortController();
  const holder = randomUUID();

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
      const cancels = createCancelSender(config, log);
      closer.add(() => cancels.close());
      const cache = { invalidate: () => Promise.resolve() };

      const orphans = createOrphanSweep({ db, blobs });
      const sweepOrphans = async (signal: AbortSignal) => {
        const removed = await orphans.sweep(signal);
        if (removed > 0) log.info({ removed }, 'files without a record were deleted');
      };
      const reconciler = createReconciler({ db, producer, live, log }, metrics);
      const reactors = createReactors({
        db,
        reactions: createReactions({ db, blobs, producer, live, cache, cancels, log }),
        async sweep(signal) {
          await reconciler.sweep(signal);
          await sweepOrphans(signal);
        },
        metrics,
        log,
      });

      const tasks = createTasks(config, { db, log });
      const handle = createTaskRunner({ taskRuns: db.taskRuns, tasks, holder, signal: stopping.signal, metrics, log });
      const schedule = await startSchedule({ redis: config, concurrency: tasks.length, handle, log });
      closer.add(() => schedule.close());

      const lead = createDuties({ config, reactors, reconciler, sweepOrphans, schedule, tasks, log });
      const leadership = startLeadership({ leases: db.leases, name: 'maintenance', holder, lead, log });
      closer.add(() => leadership.stop());

      if (config.HEALTH_PORT !== undefined) {
        const checks = {
          database: () => db.ping(),
          queue: () => producer.ping(),
          reactions: async () => (reactors.status().brokenForSeconds ?? 0) <= BROKEN_TOLERATED_SECONDS,
        };
        const details = () => ({ role: leadership.role, reactions: reactors.status() });
        const { HEALTH_HOST: host, HEALTH_PORT: port } = config;
        const health = await startHealthServer({ host, port, checks, details, metrics });
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
