import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMetrics } from '@aigolos/runtime';
import { testLog as log, startRedis, useRedis, waitUntil } from '@aigolos/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createReadCache, type ReadCache, type RedisConfig } from './index.ts';

const redis = useRedis();
let config: RedisConfig;
let closers: (() => Promise<unknown>)[];
beforeEach(() => {
  config = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}`, REDIS_SILENCE_MS: 140 };
  closers = [];
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});

async function openCache(url = redis.url, metrics = createMetrics('test')): Promise<ReadCache> {
  const cache = await createReadCache({ ...config, REDIS_URL: url }, log, metrics);
  closers.push(() => cache.close());
  return cache;
}

async function ownRedis() {
  const own = await startRedis();
  closers.push(() => own.kill('SIGKILL'));
  return own;
}

/** A record as a database has it; who reads it through a cache asks `ask`. */
function record(cache: ReadCache) {
  const state = { value: 'old', loads: 0 };
  const load = () => {
    state.loads += 1;
    return Promise.resolve(state.value);
  };
  return Object.assign(state, { ask: (through = cache) => through.read(['job:1'], 'job 1', load) });
}

/** Awaits that what was loaded lies in Redis, which nobody who reads waits for. */
async function untilCached(job: ReturnType<typeof record>): Promise<void> {
  await job.ask();
  await waitUntil('the answer comes from the cache', async () => {
    const { loads } = job;
    await job.ask();
    return job.loads === loads;
  });
}

/** A load that has read the old value and is held up before it gives it. */
function heldUp(job: ReturnType<typeof record>, cache: ReadCache) {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const reading = cache.read(['job:1'], 'job 1', async () => {
    const { value } = job;
    begun.resolve();
    await go.promise;
    return value;
  });
  return { begun: begun.promise, letGo: () => (go.resolve(), reading) };
}

/** The entries of this test, as Redis has them. */
async function entries(): Promise<Buffer[]> {
  const connection = new Redis(redis.url);
  const keys = await connection.keys(`${config.QUEUE_PREFIX}:cache:entry:*`);
  const values = await Promise.all(keys.map((key) => connection.hgetBuffer(key, 'value')));
  connection.disconnect();
  return values.filter((value) => value !== null);
}

describe('a read cache', () => {
  test('gives an answer again, with its types, to every process, until its scope is invalidated', async () => {
    const [cache, other] = [await openCache(), await openCache()];
    const value = { at: new Date(7), bytes: Buffer.from('x'), nested: [{ text: 'ü' }], absent: undefined };
    const load = vi.fn<() => Promise<typeof value>>().mockResolvedValue(value);
    const ask = (through: ReadCache) => through.read(['job:1', 'jobs-of:a'], 'one', load);
    await ask(cache);
    await waitUntil('it is cached', async () => (await entries()).length === 1);
    expect(await ask(cache)).toEqual(value);
    expect(await ask(other)).toEqual(value);
    expect(load).toHaveBeenCalledTimes(1);
    await other.invalidate('jobs-of:b', 'jobs-of:a');
    await ask(cache);
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('never gives or keeps what was read before a write, however long the reading took', async () => {
    const [cache, other] = [await openCache(), await openCache()];
    const job = record(cache);
    const { begun, letGo } = heldUp(job, cache);
    await begun;
    job.value = 'new';
    await other.invalidate('job:1');
    const second = heldUp(job, other);
    await second.begun;
    expect(await letGo()).toBe('old');
    await cache.invalidate('something else');
    expect(await entries()).toEqual([]);
    expect(await second.letGo()).toBe('new');
    for (let time = 0; time < 5; time += 1) expect(await job.ask(time % 2 ? cache : other)).toBe('new');
  });

  test('loads once for all who ask meanwhile, failures too', async () => {
    const cache = await openCache();
    const go = Promise.withResolvers<string>();
    const load = vi.fn<() => Promise<string>>(() => go.promise);
    const asking = Array.from({ length: 20 }, () => cache.read(['job:1'], 'one', load));
    await waitUntil('one of them loads', () => load.mock.calls.length > 0);
    await cache.invalidate('something else');
    go.reject(new Error('not found'));
    expect(await Promise.allSettled(asking)).toEqual(
      Array.from({ length: 20 }, () => ({ status: 'rejected', reason: new Error('not found') })),
    );
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('gives nothing whose scope Redis has dropped to make room', async () => {
    const cache = await openCache();
    const job = record(cache);
    await untilCached(job);
    const connection = new Redis(redis.url);
    await connection.del(`${config.QUEUE_PREFIX}:cache:scope:job:1`);
    connection.disconnect();
    job.value = 'new';
    await cache.invalidate('job:1');
    expect(await job.ask()).toBe('new');
  });

  test('never gives what was read before a write after Redis has forgotten everything', async () => {
    const own = await ownRedis();
    const cache = await openCache(own.url);
    const job = record(cache);
    const { begun, letGo } = heldUp(job, cache);
    await begun;
    job.value = 'new';
    await cache.invalidate('job:1');
    await own.flushAll();
    await letGo();
    for (let time = 0; time < 5; time += 1) expect(await job.ask()).toBe('new');
  });

  test('a writer that cannot tell Redis never gives the old itself, and others do for no longer than an entry lives', async () => {
    const own = await ownRedis();
    const [writer, other] = [await openCache(own.url), await openCache(own.url)];
    const job = record(writer);
    await untilCached(job);
    const admin = new Redis(own.url);
    await admin.acl('SETUSER', 'default', '-unlink');
    admin.disconnect();
    job.value = 'new';
    await writer.invalidate('job:1');
    const acknowledged = Date.now();
    let seenByOther = '';
    while (seenByOther !== 'new') {
      expect(await job.ask()).toBe('new');
      seenByOther = await job.ask(other);
    }
    expect(Date.now() - acknowledged).toBeLessThan(1_300);
    await untilCached(job);
  });

  test.each(['SIGKILL', 'SIGSTOP'] as const)('a write is not held up while Redis is away (%s)', async (signal) => {
    const own = await ownRedis();
    const cache = await openCache(own.url);
    const job = record(cache);
    await untilCached(job);
    own.signal(signal);
    job.value = 'new';
    for (let time = 0; time < 3; time += 1) {
      const began = performance.now();
      await cache.invalidate('job:1');
      expect(performance.now() - began).toBeLessThan(200);
      expect(await job.ask()).toBe('new');
    }
  });

  test('what takes longer to read than it may be kept is neither kept nor shared', async () => {
    const reader = await openCache();
    const job = record(reader);
    const { begun, letGo } = heldUp(job, reader);
    await begun;
    job.value = 'new';
    await sleep(1_050);
    expect(await job.ask()).toBe('new');
    expect(await letGo()).toBe('old');
    for (let time = 0; time < 5; time += 1) expect(await job.ask()).toBe('new');
  });

  test('an invalidation takes the answers out of Redis at once, and only those', async () => {
    const cache = await openCache();
    const load = () => Promise.resolve('planted marker');
    for (const key of ['a', 'b']) await cache.read(['job:1', 'jobs-of:x'], key, load);
    await cache.read(['job:2', 'jobs-of:x'], 'c', load);
    await waitUntil('all are cached', async () => (await entries()).length === 3);
    await cache.invalidate('job:1');
    expect((await entries()).map(String)).toEqual([expect.stringContaining('planted marker')]);
    await cache.invalidate('jobs-of:x');
    expect(await entries()).toEqual([]);
  });

  test('keeps nothing for longer than a second', async () => {
    const cache = await openCache();
    const job = record(cache);
    const began = Date.now();
    await untilCached(job);
    job.value = 'new';
    await waitUntil('the new value is seen', async () => (await job.ask()) === 'new');
    expect(Date.now() - began).toBeLessThan(1_300);
  });

  test('keeps neither errors nor what is not there, nor what is too large', async () => {
    const cache = await openCache();
    const loads = vi
      .fn<() => Promise<string | undefined>>()
      .mockRejectedValueOnce(new Error('not found'))
      .mockResolvedValueOnce(undefined)
      .mockResolvedValue('x'.repeat(2_000_000));
    const ask = () => cache.read(['job:1'], 'one', loads);
    await expect(ask()).rejects.toThrow('not found');
    expect(await ask()).toBeUndefined();
    for (let time = 0; time < 3; time += 1) expect(await ask()).toHaveLength(2_000_000);
    expect(loads).toHaveBeenCalledTimes(5);
    expect(await entries()).toEqual([]);
  });

  test.each(['SIGKILL', 'SIGSTOP'] as const)(
    'is gone round while Redis is away (%s), and comes back',
    async (signal) => {
      const own = await ownRedis();
      const metrics = createMetrics('test');
      const cache = await openCache(own.url, metrics);
      const job = record(cache);
      await untilCached(job);
      own.signal(signal);
      const began = Date.now();
      for (let time = 0; time < 20; time += 1) expect(await job.ask()).toBe('old');
      expect(Date.now() - began).toBeLessThan(3_000);
      expect(await metrics.getSingleMetricAsString('aigolos_read_cache_total')).toMatch(/outcome="bypass".*\} (19|20)/);
      await (signal === 'SIGKILL' ? own.restart() : own.signal('SIGCONT'));
      await untilCached(job);
    },
  );
});
