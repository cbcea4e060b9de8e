import { randomUUID } from 'node:crypto';
import { testLog as log, useRedis, waitUntil } from '@aigolos/testing';
import { expect, test } from 'vitest';
import { createProducer, createQueueWorker, type Producer, type RedisConfig } from './index.ts';

const redis = useRedis();

type Add = (producer: Producer, id: string, account: string) => Promise<unknown>;
const fair: Add = (producer, id, account) => producer.add({ id, kind: 'chat', account });
/** The control: how it would be without shares. */
const firstInFirstOut: Add = (producer, id) => producer.queues.llm.add('chat', { jobId: id }, { jobId: id });

const JOBS = 40;
const EVERY = 5;

/**
 * One account keeps the worker busy, with so many jobs waiting; another sends a job after every five that were started. Waits are
 * counted in jobs that are started meanwhile, which no slow machine changes. @returns the 95th percentile of them.
 */
async function p95Wait(add: Add, waiting: number): Promise<number> {
  const config: RedisConfig = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` };
  const producer = await createProducer(config, log);
  let started = 0;
  let sent = 0;
  let fed = 0;
  const sentAt = new Map<string, number>();
  const waits: number[] = [];
  const feed = () => add(producer, `first${fed++}`, 'first');
  for (let left = waiting; left > 0; left -= 100) {
    await Promise.all(Array.from({ length: Math.min(100, left) }, feed));
  }
  const worker = createQueueWorker({
    redis: config,
    queue: 'llm',
    concurrency: 1,
    log,
    handle: async (id) => {
      const since = sentAt.get(id);
      if (since !== undefined) waits.push(started - since);
      started += 1;
      if (id.startsWith('first')) await feed();
      if (started % EVERY === 0 && sent < JOBS) {
        const next = `second${sent++}`;
        sentAt.set(next, started);
        await add(producer, next, 'second');
      }
      return 'done';
    },
  });
  await waitUntil('all of the second account have begun', () => waits.length === JOBS, 60_000);
  await worker.close();
  await producer.close();
  return waits.toSorted((a, b) => a - b)[Math.ceil(JOBS * 0.95) - 1] ?? Number.POSITIVE_INFINITY;
}

test("5,000 waiting jobs of an account at most double another's 95th percentile; without shares, 500 do worse by far", async () => {
  const withFew = Math.max(1, await p95Wait(fair, 10));
  expect(await p95Wait(fair, 5_000)).toBeLessThanOrEqual(2 * withFew);
  expect(await p95Wait(firstInFirstOut, 500)).toBeGreaterThan(100 * withFew);
}, 90_000);
