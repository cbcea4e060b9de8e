import { openDatabase } from '@aigolos/db';
import { createEgress, createEgressRules } from '@aigolos/egress';
import { createProducer, createQueueWorker, type QueueWorker } from '@aigolos/queue';
import { type App, createCloser, createMetrics, type Logger, startHealthServer, startPeriodic } from '@aigolos/runtime';
import type { Config } from './config.ts';
import { createDeliverer, type Deliverer } from './deliver.processor.ts';
import { createDeliveryMetrics } from './metrics.ts';
import { createReceiverSlots } from './receiver-slots.ts';
import { createSweep } from './sweep.ts';

/** Signed calls to those who want to be told. */
export function createApp(config: Config, log: Logger): App {
  const closer = createCloser();
  const registry = createMetrics('worker-webhooks');
  let queue: QueueWorker | undefined;
  let deliverer: Deliverer | undefined;
  let stopped: Promise<void> | undefined;

  async function drain(): Promise<void> {
    if (!queue) return;
    const drained = queue.drain();
    const grace = setTimeout(() => deliverer?.abortAll(), config.DRAIN_GRACE_MS);
    await drained;
    clearTimeout(grace);
    await queue.close();
  }

  return {
    async start() {
      const db = await openDatabase(config.MONGO_URL);
      closer.add(() => db.close());
      await db.prepare();
      const producer = await createProducer(config, log);
      closer.add(() => producer.close());
      const metrics = createDeliveryMetrics(registry);
      const policy = {
        networks: config.WEBHOOK_ALLOWED_NETWORKS,
        hosts: config.WEBHOOK_ALLOWED_HOSTS,
        ports: config.WEBHOOK_ALLOWED_PORTS,
      };

      deliverer = createDeliverer({
        db,
        slots: createReceiverSlots(config.WEBHOOK_RECEIVER_CONCURRENCY),
        exchanges: {
          egress: createEgress(createEgressRules(policy)),
          timeoutMs: config.WEBHOOK_TIMEOUT_MS,
        },
        plan: {
          pausesMs: config.WEBHOOK_RETRY_SECONDS.map((seconds) => seconds * 1_000),
          pauseAfterFailures: config.WEBHOOK_PAUSE_AFTER_FAILURES,
          pauseAfterMs: config.WEBHOOK_PAUSE_AFTER_MS,
        },
        metrics,
        log,
      });
      const { WEBHOOK_CONCURRENCY: concurrency } = config;
      queue = createQueueWorker({
        redis: config,
        queue: 'webhooks',
        concurrency,
        handle: deliverer.handle,
        log,
        metrics: registry,
      });
      const sweeping = startPeriodic({
        intervalMs: config.WEBHOOK_SWEEP_EVERY_MS,
        run: createSweep({ db, producer, metrics, log }),
        onError: (error) => log.warn({ err: error }, 'the search for webhooks that are due failed'),
      });
      closer.add(() => sweeping.stop());

      if (config.HEALTH_PORT !== undefined) {
        const checks = {
          database: () => db.ping(),
          queue: () => producer.ping(),
          worker: async () => queue?.isRunning() ?? false,
        };
        const { HEALTH_HOST: host, HEALTH_PORT: port } = config;
        const health = await startHealthServer({ host, port, checks, metrics: registry });
        closer.add(() => health.close());
      }
      log.info({ concurrency, allowed: policy }, 'ready');
    },
    stop() {
      stopped ??= drain().then(() => closer.closeAll());
      return stopped;
    },
  };
}
