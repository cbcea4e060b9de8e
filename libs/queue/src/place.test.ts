import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { testLog as log, useRedis, waitUntil } from '@aigolos/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProducer, createQueueWorker, type Handled, type Producer } from './index.ts';

const redis = useRedis();
let config: { REDIS_URL: string; QUEUE_PREFIX: string };
let producer: Producer;
let closers: (() => Promise<unknown>)[];
beforeEach(async () => {
  config = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` };
  producer = await createProducer(config, log);
  closers = [() => producer.close()];
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});

const chat = (id: string) => ({ id, kind: 'chat' }) as const;
const add = (id: string, account = 'acc_1') => producer.add({ ...chat(id), account });

function work(concurrency: number, handle: (id: string) => Promise<Handled>) {
  const worker = createQueueWorker({ redis: config, queue: 'llm', concurrency, handle, log });
  closers.push(() => worker.close());
  return worker;
}

test('a place is the number of jobs that are handed out before, whoever sent them first', async () => {
  for (const id of ['a0', 'a1', 'a2']) await add(id);
  await add('b0', 'acc_2');
  const ahead = async (id: string) => (await producer.place(chat(id)))?.ahead;
  expect(await Promise.all(['a0', 'b0', 'a1', 'a2'].map(ahead))).toEqual([0, 1, 2, 3]);
  await producer.remove(chat('a0'));
  expect(await Promise.all(['a0', 'b0', 'a1'].map(ahead))).toEqual([undefined, 0, 1]);
  await producer.queues.llm.add('chat', { jobId: 'old' }, { jobId: 'old' });
  await producer.queues.llm.add('chat', { jobId: 'older' }, { jobId: 'older' });
  expect(await Promise.all(['old', 'older', 'b0'].map(ahead))).toEqual([0, 1, 2]);
});

test('there is no place of a job that waits for another try, and none before a job that is just handed out', async () => {
  const { promise: stay, resolve: leave } = Promise.withResolvers<void>();
  work(2, async (id) => {
    if (id === 'later') return { againAfterMs: 60_000 };
    await stay;
    return 'done';
  });
  await add('runs');
  await add('later');
  await waitUntil('it is kept for later', async () => (await producer.queues.llm.getDelayedCount()) === 1);
  expect(await producer.place(chat('later'))).toBeUndefined();
  expect(await producer.place(chat('runs'))).toEqual({ ahead: 0, startsInMs: undefined });
  leave();
});

// Beside other load a job takes as long as the machine lets it.
test('the estimated start of equal jobs is right within a factor of two, and there is none without workers', {
  retry: 2,
}, async () => {
  const [slots, jobMs] = [3, 40];
  const starts = new Map<string, number>();
  const run = async (id: string): Promise<Handled> => {
    starts.set(id, performance.now());
    await sleep(jobMs);
    return 'done';
  };
  for (let index = 0; index < 100; index += 1) await add(`job${index}`);
  expect(await producer.place(chat('job60'))).toEqual({ ahead: 60, startsInMs: undefined });
  const worker = work(slots, run);
  await waitUntil('ten were measured', () => starts.size > 10);
  const looked = ['job40', 'job60', 'job80', 'job99'];
  const estimates = await Promise.all(looked.map((id) => producer.place(chat(id))));
  const now = performance.now();
  await waitUntil('all have begun', () => starts.size === 100);
  for (const [index, id] of looked.entries()) {
    const actual = (starts.get(id) ?? 0) - now;
    const ratio = (estimates[index]?.startsInMs ?? 0) / actual;
    expect(ratio, id).toBeGreaterThan(0.5);
    expect(ratio, id).toBeLessThan(2);
  }
  await worker.drain();
  await add('more');
  await waitUntil('its slots do not count', async () => (await producer.place(chat('more')))?.startsInMs === undefined);
});

test('a slot that is free begins the next job at once', async () => {
  await add('first');
  work(4, async () => 'done');
  await waitUntil('it is done', async () => !(await producer.knows(chat('first'))));
  await producer.queues.llm.pause();
  for (const id of ['a', 'b', 'c', 'd', 'e']) await add(id);
  expect((await producer.place(chat('d')))?.startsInMs).toBe(0);
  await producer.queues.llm.resume();
});

test('after any number of jobs Redis holds no more of ours than after few', async () => {
  const admin = new Redis(redis.url);
  closers.push(() => Promise.resolve(admin.disconnect()));
  const handled = new Set<string>();
  const worker = work(8, async (id) => {
    handled.add(id);
    return 'done';
  });
  const run = async (jobs: number) => {
    const before = handled.size;
    for (let from = 0; from < jobs; from += 20) {
      const some = Array.from({ length: 20 }, (_, index) => `${jobs}-${from + index}`);
      await Promise.all(some.map((id) => add(id, id)));
    }
    await waitUntil('all are done', () => handled.size === before + jobs);
  };
  await run(20);
  await run(1_500);
  await worker.drain();
  const keys = await admin.keys(`${config.QUEUE_PREFIX}:*`);
  expect(keys.length).toBeLessThan(16);
  expect(keys.filter((key) => /\d$/.test(key))).toEqual([]);
  expect(await admin.xlen(`${config.QUEUE_PREFIX}:llm:events`)).toBeLessThan(1_200);
});
