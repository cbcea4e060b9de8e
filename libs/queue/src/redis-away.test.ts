import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { testLog as log, type RedisProcess, startRedis, waitUntil } from '@aigolos/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFailFastConnection } from './connection.ts';
import {
  createCancelSender,
  createLiveStreams,
  createProducer,
  createQueueWorker,
  createReadCache,
  type RedisConfig,
} from './index.ts';

let own: RedisProcess;
let config: RedisConfig;
let closers: (() => Promise<unknown>)[];
beforeEach(async () => {
  own = await startRedis();
  config = { REDIS_URL: own.url, QUEUE_PREFIX: `test-${randomUUID()}`, REDIS_SILENCE_MS: 140 };
  closers = [() => own.kill('SIGKILL')];
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});
const closing = <T extends { close: () => Promise<unknown> }>(part: T): T => {
  closers.push(() => part.close());
  return part;
};

/** All that a submission asks of Redis. */
async function openParts() {
  const producer = closing(await createProducer(config, log));
  const live = closing(await createLiveStreams(config, log));
  const cache = closing(await createReadCache(config, log));
  const cancels = closing(createCancelSender(config, log));
  let count = 0;
  return async () => {
    const job = { id: `cht_${count++}`, kind: 'chat', account: 'acc_1' } as const;
    const began = performance.now();
    await Promise.all([producer.add(job).catch(() => {}), cache.invalidate(`job:${job.id}`)]);
    await producer.place(job).catch(() => {});
    const submitted = performance.now() - began;
    const asked = performance.now();
    await producer.remove(job).catch(() => {});
    await Promise.all([live.publish(job.id, { type: 'finished', fence: 1 }), cancels.send(job.id)]);
    return { submitted, cancelled: performance.now() - asked };
  };
}

const p95 = (times: number[]) => times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? Infinity;

describe('a Redis that is away costs a caller at most 200 ms', () => {
  test.each(['SIGKILL', 'SIGSTOP'] as const)(
    'from the moment of %s on, and it is used again afterwards',
    async (signal) => {
      const use = await openParts();
      await use();
      own.signal(signal);
      const times: Awaited<ReturnType<typeof use>>[] = [];
      for (let time = 0; time < 20; time += 1) times.push(...(await Promise.all([use(), use()])));
      expect(p95(times.map(({ submitted }) => submitted))).toBeLessThan(200);
      expect(Math.max(...times.map(({ submitted }) => submitted))).toBeLessThan(400);
      expect(p95(times.map(({ cancelled }) => cancelled))).toBeLessThan(200);
      await (signal === 'SIGKILL' ? own.restart() : own.signal('SIGCONT'));
      const producer = closing(await createProducer(config, log));
      await waitUntil('what was missed is added', async () => producer.knows({ id: 'cht_1', kind: 'chat' }));
    },
  );

  test('when its port refuses', async () => {
    const use = await openParts();
    await own.goDown();
    const times = [await use(), await use(), await use()];
    expect(Math.max(...times.map(({ submitted, cancelled }) => submitted + cancelled))).toBeLessThan(100);
  });
});

const SLOW = `local from = redis.call('TIME')
repeat local now = redis.call('TIME') until (now[1] - from[1]) * 1000000 + now[2] - from[2] > 50000
return 'late'`;

test('a process that was too busy to read an answer does not take Redis for away', async () => {
  const redis = openFailFastConnection(config, log);
  closers.push(() => Promise.resolve(redis.disconnect()));
  await waitUntil('it is connected', () => redis.status === 'ready');
  const answer = redis.eval(SLOW, 0);
  // The command leaves before the work begins, and its answer comes meanwhile.
  await new Promise(setImmediate);
  const until = performance.now() + 400;
  while (performance.now() < until);
  expect(await answer).toBe('late');
  expect(await redis.ping()).toBe('PONG');
});

test('a connection to a Redis that answers again is used again', async () => {
  const redis = openFailFastConnection(config, log);
  closers.push(() => Promise.resolve(redis.disconnect()));
  await waitUntil('it is connected', () => redis.status === 'ready');
  own.signal('SIGSTOP');
  await expect(redis.set('a', 1)).rejects.toThrow(Error);
  let tries = 0;
  redis.on('connect', () => {
    tries += 1;
  });
  await waitUntil('it was tried twice', async () => {
    const began = performance.now();
    await expect(redis.publish('a', '2')).rejects.toThrow(Error);
    expect(performance.now() - began).toBeLessThan(100);
    return tries >= 2;
  });
  own.signal('SIGCONT');
  await waitUntil('it is connected again', () => redis.status === 'ready');
  const admin = new Redis(own.url);
  closers.push(() => Promise.resolve(admin.disconnect()));
  await redis.set('a', 3);
  expect(await admin.get('a')).toBe('3');
});

test('a worker drains while Redis is away: what runs is ended, and nothing is waited for in vain', async () => {
  const producer = closing(await createProducer(config, log));
  const running = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  let handled = false;
  const handle = async () => {
    running.resolve();
    await over.promise;
    handled = true;
    return 'done' as const;
  };
  const worker = closing(createQueueWorker({ redis: config, queue: 'llm', concurrency: 2, handle, log }));
  await producer.add({ id: 'cht_1', kind: 'chat', account: 'acc_1' });
  await running.promise;
  own.signal('SIGKILL');
  // By now its connections are between two tries.
  await sleep(1_000);
  const drained = worker.drain();
  over.resolve();
  await drained;
  expect(handled).toBe(true);
});
