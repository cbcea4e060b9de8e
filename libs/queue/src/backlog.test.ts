import { randomUUID } from 'node:crypto';
import { testLog as log, startRedis, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProducer, createQueueWorker, createRateLimiter, type Producer, secondsUntilBelow } from './index.ts';

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

const chat = (id: string, backlog: number) => ({ id, kind: 'chat' as const, account: 'acc_1', backlog });
const amount = async () => (await producer.backlog('llm')).amount;

test('what waits is summed: an id that is added twice counts once, one that is taken off not any more', async () => {
  await Promise.all([producer.add(chat('a', 10)), producer.add(chat('a', 10)), producer.add(chat('b', 5))]);
  expect(await producer.backlog('llm')).toMatchObject({ amount: 15, jobs: 2, msPerJob: undefined });
  await Promise.all([producer.remove(chat('a', 10)), producer.remove(chat('a', 10))]);
  expect(await amount()).toBe(5);
  expect((await producer.backlog('tts')).amount).toBe(0);
});

test('what is begun does not wait any more, nor does it when it is added again while it runs', async () => {
  const { promise: stay, resolve: leave } = Promise.withResolvers<void>();
  await producer.add(chat('runs', 7));
  await producer.add(chat('waits', 3));
  const handle = async () => {
    await stay;
    return 'done' as const;
  };
  const worker = createQueueWorker({ redis: config, queue: 'llm', concurrency: 1, handle, log });
  closers.push(() => worker.close());
  await waitUntil('one is begun', async () => (await amount()) === 3);
  await producer.add(chat('runs', 7));
  expect(await amount()).toBe(3);
  leave();
  await waitUntil('all are begun', async () => (await amount()) === 0);
  await waitUntil('its pace is known', async () => (await producer.backlog('llm')).msPerJob !== undefined);
});

test('what was lost count of is made up for when nothing waits', async () => {
  await producer.add(chat('a', 10));
  await producer.queues.llm.remove('a');
  await producer.add(chat('b', 2));
  expect(await amount()).toBe(2);
});

test.each([
  [{ amount: 100, jobs: 10, msPerJob: 1_000 }, 100, 1],
  [{ amount: 100, jobs: 10, msPerJob: 1_000 }, 50, 6],
  [{ amount: 1_000_000, jobs: 10, msPerJob: 60_000 }, 1, 60],
  [{ amount: 100, jobs: 10, msPerJob: undefined }, 50, 30],
])('of %o there is less than %i in some %i s', (backlog, limit, seconds) => {
  expect(secondsUntilBelow(backlog, limit)).toBe(seconds);
});

test('a rate is counted by all processes together, in a window that begins with the first', async () => {
  const [one, other] = await Promise.all([createRateLimiter(config, log), createRateLimiter(config, log)]);
  closers.push(
    () => one.close(),
    () => other.close(),
  );
  expect(await one.look('x')).toEqual({ taken: 0, resetsInMs: 0 });
  const taken = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : other).take('x')));
  expect(taken.map((rate) => rate?.taken).toSorted((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  const resets = taken.map((rate) => rate?.resetsInMs ?? 0);
  expect(Math.min(...resets)).toBeGreaterThan(50_000);
  expect(Math.max(...resets)).toBeLessThanOrEqual(60_000);
  await one.giveBack('x');
  expect((await other.look('x'))?.taken).toBe(19);
  expect((await other.take('y'))?.taken).toBe(1);
});

test('while Redis is away a rate is not known, and nobody waits for it', async () => {
  const own = await startRedis();
  const limiter = await createRateLimiter({ ...config, REDIS_URL: own.url, REDIS_SILENCE_MS: 100 }, log);
  closers.push(
    () => own.kill('SIGKILL'),
    () => limiter.close(),
  );
  expect((await limiter.take('x'))?.taken).toBe(1);
  own.signal('SIGSTOP');
  const began = performance.now();
  expect(await limiter.take('x')).toBeUndefined();
  expect(await limiter.look('x')).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(1_000);
  own.signal('SIGCONT');
  await waitUntil('it is counted again', async () => (await limiter.take('x')) !== undefined);
});
