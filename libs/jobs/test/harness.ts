import { randomUUID } from 'node:crypto';
import { type ChatTask, DEFAULT_RETENTION, type JobKind, type QueueName } from '@aigolos/contracts';
import { type Database, type JobRecord, openDatabase } from '@aigolos/db';
import {
  createCancelReceiver,
  createCancelSender,
  createLiveStreams,
  createProducer,
  createQueueWorker,
  createReadCache,
  type LiveStreams,
  type Producer,
  type ReadCache,
  type RedisConfig,
} from '@aigolos/queue';
import { createMetrics } from '@aigolos/runtime';
import type { TestMongo, TestRedis } from '@aigolos/testing';
import { testLog as log } from '@aigolos/testing';
import {
  createJobRunner,
  createJobs,
  createReconciler,
  type Jobs,
  type Processor,
  type Processors,
  type Reconciler,
} from '../src/index.ts';
export const ACCOUNT = 'acc_1';

export interface Harness {
  db: Database;
  jobs: Jobs;
  producer: Producer;
  live: LiveStreams;
  cache: ReadCache;
  reconciler: Reconciler;
  /** Starts a worker for chat jobs, or for what else is on another queue; ends with the harness. */
  startWorker(
    process: Processor<'chat'> | Partial<Processors<JobKind>>,
    options?: { concurrency?: number; leaseMs?: number; queue?: QueueName },
  ): TestWorker;
  submitChat(task?: Partial<ChatTask>): Promise<JobRecord<'chat'>>;
  close(): Promise<void>;
}

export interface TestWorker {
  /** What SIGTERM does: no new ids, what runs goes back to the queue. */
  drain(): Promise<void>;
}

/** The life of a job over a real Redis and database, with a processor of the test's own. */
export async function createHarness(
  redis: TestRedis,
  mongo: TestMongo,
  settings: Partial<RedisConfig> = {},
): Promise<Harness> {
  const config = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}`, ...settings };
  const db = await openDatabase(mongo.newDatabaseUrl());
  await db.prepare();
  const producer = await createProducer(config, log);
  const live = await createLiveStreams(config, log);
  const cancels = createCancelSender(config, log);
  const cache = await createReadCache(config, log);
  const deps = { db, producer, live, cache, log };
  const closers = [
    () => cache.close(),
    () => cancels.close(),
    () => live.close(),
    () => producer.close(),
    () => db.close(),
  ].toReversed();
  const jobs = createJobs({ ...deps, cancels, retention: { defaults: DEFAULT_RETENTION, maxSeconds: 10 ** 9 } });
  return {
    db,
    jobs,
    producer,
    live,
    cache,
    reconciler: createReconciler(deps, createMetrics('test')),
    startWorker(process, { concurrency = 1, leaseMs = 3_000, queue: name = 'llm' } = {}) {
      const processors = typeof process === 'function' ? { chat: process } : process;
      const runner = createJobRunner({
        queue: name,
        processors: processors as Processors<JobKind>,
        deps,
        metrics: createMetrics('test'),
        leaseMs,
        retryBackoff: { baseMs: 20, maxMs: 100 },
      });
      const receiver = createCancelReceiver(config, log, runner.cancel);
      const queue = createQueueWorker({ redis: config, queue: name, concurrency, handle: runner.handle, log });
      const drain = async () => {
        const drained = queue.drain();
        runner.abortAll();
        await drained;
      };
      closers.push(async () => {
        await drain();
        await queue.close();
        await receiver.close();
      });
      return { drain };
    },
    async submitChat(task = {}) {
      const whole = { model: 'test', messages: [{ role: 'user' as const, content: 'hi' }], stop: [], ...task };
      return (await jobs.submit({ kind: 'chat', account: ACCOUNT, task: whole })).job;
    },
    async close() {
      for (const close of closers.toReversed()) await close();
    },
  };
}
