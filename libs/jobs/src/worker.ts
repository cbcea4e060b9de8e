import type { KindsOf, ModelInfo, QueueName } from '@aigolos/contracts';
import { type Database, openDatabase } from '@aigolos/db';
import {
  createCancelReceiver,
  createLiveStreams,
  createProducer,
  createQueueWorker,
  createReadCache,
  type QueueWorker,
  type RedisConfig,
} from '@aigolos/queue';
import { type App, createCloser, createMetrics, type Logger, startHealthServer, startPeriodic } from '@aigolos/runtime';
import type { Processors } from './processor.ts';
import { createJobRunner, type JobRunner } from './runner.ts';

export interface WorkerConfig extends RedisConfig {
  MONGO_URL: string;
  CONCURRENCY: number;
  DRAIN_GRACE_MS: number;
  HEALTH_HOST: string;
  HEALTH_PORT?: number | undefined;
}

export interface WorkerParts<Queue extends QueueName> {
  service: string;
  queue: Queue;
  config: WorkerConfig;
  log: Logger;
  /** Opens what this worker works with; called once, with a connected database. */
  open: (db: Database) => Promise<{
    processors: Processors<KindsOf<Queue>>;
    models: ModelInfo[];
    close: () => Promise<void>;
  }>;
}

const ANNOUNCE_EVERY_MS = 30_000;

/** What every worker app is: a queue and a processor for each kind on it, its models announced, health and a clean end. */
export function createWorker<Queue extends QueueName>(parts: WorkerParts<Queue>): App {
  const { service, queue: name, config, log, open } = parts;
  const closer = createCloser();
  const metrics = createMetrics(service);
  let queue: QueueWorker | undefined;
  let runner: JobRunner | undefined;
  let stopped: Promise<void> | undefined;

  async function drain(): Promise<void> {
    if (!queue) return;
    const drained = queue.drain();
    const grace = setTimeout(() => runner?.abortAll(), config.DRAIN_GRACE_MS);
    await drained;
    clearTimeout(grace);
  }

  return {
    async start() {
      const db = await openDatabase(config.MONGO_URL);
      closer.add(() => db.close());
      await db.prepare();
      const live = await createLiveStreams(config, log);
      closer.add(() => live.close());
      const producer = await createProducer(config, log);
      closer.add(() => producer.close());
      const cache = await createReadCache(config, log, metrics);
      closer.add(() => cache.close());
      const { processors, models, close } = await open(db);
      closer.add(close);
      const announcing = startPeriodic({
        intervalMs: ANNOUNCE_EVERY_MS,
        run: () => db.models.announce(models),
        onError: (error) => log.warn({ err: error }, 'models were not announced'),
      });
      closer.add(() => announcing.stop());
      const deps = { db, producer, live, cache, log };
      runner = createJobRunner({ queue: name, processors, deps, metrics });
      const cancels = createCancelReceiver(config, log, (jobId) => runner?.cancel(jobId));
      closer.add(() => cancels.close());
      queue = createQueueWorker({
        redis: config,
        queue: name,
        concurrency: config.CONCURRENCY,
        handle: runner.handle,
        log,
        metrics,
      });
      if (config.HEALTH_PORT !== undefined) {
        const checks = {
          database: () => db.ping(),
          queue: () => producer.ping(),
          worker: async () => queue?.isRunning() ?? false,
        };
        const health = await startHealthServer({ host: config.HEALTH_HOST, port: config.HEALTH_PORT, checks, metrics });
        closer.add(() => health.close());
      }
      log.info({ queue: name, models: models.map(({ id }) => id), concurrency: config.CONCURRENCY }, 'ready');
    },
    stop() {
      stopped ??= drain()
        .then(() => queue?.close())
        .then(() => closer.closeAll());
      return stopped;
    },
  };
}
