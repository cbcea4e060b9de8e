import { openBlobStore } from '@aigolos/blob-store';
import { AIGolosError } from '@aigolos/contracts';
import { openDatabase } from '@aigolos/db';
import { createEgressRules } from '@aigolos/egress';
import { createJobRunner, createJobs } from '@aigolos/jobs';
import { createEraser } from '@aigolos/lifecycle';
import { openMedia } from '@aigolos/media';
import {
  createCancelSender,
  createLiveStreams,
  createProducer,
  createRateLimiter,
  createReadCache,
} from '@aigolos/queue';
import { type App, createCloser, createMetrics, type Logger } from '@aigolos/runtime';
import type { FastifyInstance } from 'fastify';
import { buildApp, type GatewayDeps } from './app.ts';
import { startBatches } from './batches/start-batches.ts';
import { type Config, installationLimits, retentionOffer } from './config.ts';
import { createAccountLimits } from './limits/account-limits.ts';
import { createErasures } from './routes/erasures/erasures.service.ts';
import { createWebhookDeliveries } from './routes/webhooks/webhook-deliveries.service.ts';
import { createWebhookEndpoints } from './routes/webhooks/webhook-endpoints.service.ts';

export interface Gateway extends App {
  /** Where it listens, once it has started. */
  readonly url: string;
}

/** HTTP in, jobs out, and their results back. Stopping it ends what is held open; the jobs go on. */
export function createGateway(config: Config, log: Logger): Gateway {
  const closer = createCloser();
  const stopping = new AbortController();
  let url = '';
  let stopped: Promise<void> | undefined;

  async function openDeps(): Promise<GatewayDeps> {
    const db = await openDatabase(config.MONGO_URL);
    closer.add(() => db.close());
    await db.prepare();
    const producer = await createProducer(config, log);
    closer.add(() => producer.close());
    const live = await createLiveStreams(config, log);
    closer.add(() => live.close());
    const cancels = createCancelSender(config, log);
    closer.add(() => cancels.close());
    const blobs = openBlobStore(config);
    const metrics = createMetrics('gateway');
    const cache = await createReadCache(config, log, metrics);
    closer.add(() => cache.close());
    const runner = createJobRunner({
      queue: 'erasure',
      processors: { erasure: createEraser({ db, blobs, producer, live, cancels, cache, log }) },
      deps: { db, producer, live, cache, log },
      metrics,
    });
    const limiter = await createRateLimiter(config, log);
    closer.add(() => limiter.close());
    const limits = createAccountLimits(db.access, installationLimits(config));
    const retention = retentionOffer(config);
    const jobs = createJobs({ db, producer, live, cancels, cache, log, retention, limitsOf: limits.in });
    const erasures = createErasures({ db, jobs, runner, producer, log });
    closer.add(() => erasures.close());
    const webhookDeps = { db, producer, log };
    const rules = createEgressRules({
      networks: config.WEBHOOK_ALLOWED_NETWORKS,
      hosts: config.WEBHOOK_ALLOWED_HOSTS,
      ports: config.WEBHOOK_ALLOWED_PORTS,
    });
    const endpoints = createWebhookEndpoints({ ...webhookDeps, rules });
    const media = openMedia(config, { log });
    const batches = startBatches(config, { db, jobs, erasures, blobs, media, producer, live, cache, metrics, log });
    closer.add(() => batches.stop());
    return {
      db,
      erasures,
      endpoints,
      deliveries: createWebhookDeliveries(webhookDeps, endpoints),
      jobs,
      limits,
      limiter,
      blobs,
      media,
      producer,
      cache,
      metrics,
      log,
      stopping: stopping.signal,
    };
  }

  return {
    get url() {
      return url;
    },
    async start() {
      const app = buildApp(config, await openDeps());
      closer.add(() => closeWithin(app, config.STOP_GRACE_MS));
      url = await app.listen({ host: config.HOST, port: config.PORT }).catch((error: unknown) => {
        throw explainListenError(error, config);
      });
      log.info({ url }, 'ready');
    },
    stop() {
      stopping.abort();
      stopped ??= closer.closeAll();
      return stopped;
    },
  };
}

/** Lets requests finish; those that have not by then are cut off, and clean up after themselves. */
async function closeWithin(app: FastifyInstance, graceMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), graceMs);
  await app.close().finally(() => clearTimeout(timer));
}

function explainListenError(error: unknown, { HOST, PORT }: Config): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  return new AIGolosError(`Port ${PORT} on ${HOST} is taken by another program; set PORT to a free one.`, {
    code: 'CONFIG_INVALID',
    cause: error,
  });
}
