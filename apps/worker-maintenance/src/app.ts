import { randomUUID } from 'node:crypto';
import { startQueueRunner } from '@aigolos/jobs';
import { createEraser, createReactions } from '@aigolos/lifecycle';
import { startSchedule } from '@aigolos/queue';
import { type App, createCloser, createMetrics, type Logger, startHealthServer } from '@aigolos/runtime';
import type { Config } from './config.ts';

import { createDuties } from './duties.ts';
import { createExportProcessor } from './export.processor.ts';
import { startLeadership } from './leadership.ts';
import { createReactors } from './reactors.ts';
import { openStores } from './stores.ts';
import { createSweeps } from './sweeps.ts';
import { createTaskRunner } from './task-runner.ts';
import { createTasks } from './tasks.ts';

/** A leader that has not heard of changes for longer is unready. */
const SILENCE_TOLERATED_SECONDS = 30;

/** Everything that happens by itself: reactions to changes, sweeps, scheduled tasks, and jobs that are about data. */
export function createApp(config: Config, log: Logger): App {
  const closer = createCloser();
  const metrics = createMetrics('worker-maintenance');
  const stopping = new AbortController();
  const holder = randomUUID();

  return {
    async start() {
      const stores = await openStores(config, { closer, metrics, log });
      const { db, producer } = stores;

      const shared = { deps: stores, redis: config, metrics };
      const dataJobs = [
        startQueueRunner({
          ...shared,
          queue: 'erasure',
          processors: { erasure: createEraser({ ...stores, backupDir: config.BACKUP_DIR }) },
        }),
        startQueueRunner({ ...shared, queue: 'export', processors: { export: createExportProcessor(stores) } }),
      ];
      for (const job of dataJobs) closer.add(() => job.stop());

      const tasks = createTasks(config, stores);
      const handle = createTaskRunner({ taskRuns: db.taskRuns, tasks, holder, signal: stopping.signal, metrics, log });
      const schedule = await startSchedule({ redis: config, concurrency: tasks.length, handle, log });
      closer.add(() => schedule.close());

      const sweeps = createSweeps(config, stores, metrics);
      const reactors = createReactors({ db, reactions: createReactions(stores), sweep: sweeps.all, metrics, log });
      const lead = createDuties({ config, reactors, sweeps, schedule, tasks, log });
      const { LEADER_LEASE_MS: leaseMs } = config;
      const leadership = startLeadership({ leases: db.leases, name: 'maintenance', holder, lead, leaseMs, log });
      closer.add(() => leadership.stop());

      if (config.HEALTH_PORT !== undefined) {
        const checks = {
          database: () => db.ping(),
          queue: () => producer.ping(),
          dataJobs: async () => dataJobs.every((job) => job.isRunning()),
          reactions: async () => reactors.status().silentForSeconds <= SILENCE_TOLERATED_SECONDS,
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
