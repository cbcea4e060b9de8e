import { randomUUID } from 'node:crypto';
import type { JobPriority, QueuePayload } from '@aigolos/contracts';
import { testLog as log, useRedis, waitUntil } from '@aigolos/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createProducer, createQueueWorker, type Handled, type Producer } from './index.ts';

const redis = useRedis();
let config: { REDIS_URL: string; QUEUE_PREFIX: string };
let producer: Producer;
let admin: Redis;
let closers: (() => Promise<unknown>)[];
beforeEach(async () => {
  config = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` };
  producer = await createProducer(config, log);
  admin = new Redis(redis.url);
  closers = [() => producer.close(), () => Promise.resolve(admin.disconnect())];
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});

const tags = () => `${config.QUEUE_PREFIX}:fair:llm`;
const fairState = () => admin.zrange(tags(), '0', '-1', 'WITHSCORES');

async function add(account: string, ids: string[], terms: { priority?: JobPriority; cost?: number } = {}) {
  for (const id of ids) await producer.add({ id, kind: 'chat', account, ...terms });
}

const ids = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}${index}`);

/** Runs all that waits, one at a time, and gives the ids in their order. */
async function order(handle: (id: string) => Promise<Handled> = async () => 'done'): Promise<string[]> {
  const started: string[] = [];
  const worker = createQueueWorker({
    redis: config,
    queue: 'llm',
    concurrency: 1,
    log,
    handle: (id) => {
      started.push(id);
      return handle(id);
    },
  });
  const { llm } = producer.queues;
  await waitUntil('the queue is empty', async () => {
    const counts = await llm.getJobCounts('prioritized', 'wait', 'active', 'delayed');
    return Object.values(counts).every((count) => count === 0);
  });
  await worker.drain();
  await worker.close();
  return started;
}

describe('fair shares', () => {
  test('an account with many jobs does not hold up the first ones of another', async () => {
    await add('big', ids('big', 30));
    await add('small', ids('small', 3));
    const started = await order();
    expect(started.slice(0, 6).toSorted()).toEqual(['big0', 'big1', 'big2', 'small0', 'small1', 'small2']);
  });

  test('who comes while others have been served for long begins with them, and makes up for nothing', async () => {
    await add('big', ids('big', 30));
    const late = order(async (id) => {
      if (id === 'big9') await add('small', ids('small', 10));
      return 'done';
    });
    const after = (await late).slice(10, 20).filter((id) => id.startsWith('small'));
    expect(after.length).toBeGreaterThanOrEqual(4);
    expect(after.length).toBeLessThanOrEqual(6);
  });

  test('a class that only a later version knows is as default', async () => {
    await add('one', ['a']);
    await add('one', ['b'], { priority: 'urgent' as JobPriority });
    expect(await fairState()).toEqual(['now', '2', 'default:one', '4', 'low:one', '4']);
    await producer.remove({ id: 'b', kind: 'chat' });
    expect(await fairState()).toEqual(['now', '2', 'default:one', '3', 'low:one', '3']);
  });

  test('shares are of the work, not of the number of jobs', async () => {
    await add('long', ids('long', 10), { cost: 4 });
    await add('short', ids('short', 20));
    const started = await order();
    expect(started.slice(0, 20).filter((id) => id.startsWith('short')).length).toBeGreaterThanOrEqual(15);
    expect(started.slice(0, 5).filter((id) => id.startsWith('long'))).toHaveLength(1);
  });

  test('a high job is before what its account has waiting, a low one behind it, and neither before the turn of another account', async () => {
    await add('one', ids('default', 10));
    await add('one', ['low'], { priority: 'low' });
    await add('other', ids('other', 10));
    await add('one', ['high'], { priority: 'high' });
    const started = await order();
    expect(started.indexOf('high')).toBeLessThan(4);
    expect(started.indexOf('low')).toBeGreaterThan(started.indexOf('default8'));
    expect(started.slice(0, 8).filter((id) => id.startsWith('other')).length).toBeGreaterThanOrEqual(3);
  });

  test.each(['high', 'default', 'low'] as const)('many %s jobs get an account no more than its share', async (mine) => {
    await add('mine', ids('mine', 40), { priority: mine });
    await add('other', ids('other', 40));
    const first = (await order()).slice(0, 40);
    const gained = first.filter((id) => id.startsWith('mine')).length;
    expect(gained).toBeLessThanOrEqual(21);
    expect(gained).toBeGreaterThanOrEqual(mine === 'low' ? 7 : 19);
  });

  test('an account gains at most two more shares by its classes, and pays for them later', async () => {
    for (const priority of ['low', 'default', 'high'] as const) await add('mine', ids(priority, 30), { priority });
    await add('other', ids('other', 30));
    const first = (await order()).slice(0, 40).filter((id) => id.startsWith('other'));
    expect(first.length).toBeGreaterThanOrEqual(Math.floor(40 / 3.25) - 1);
  });

  test('an id that is known already costs nothing, and a known one keeps its place', async () => {
    await add('one', ['a', 'b']);
    const before = await fairState();
    await Promise.all(Array.from({ length: 5 }, () => add('one', ['a', 'b'])));
    expect(await fairState()).toEqual(before);
    await add('two', ['c']);
    expect((await order())[0]).toBe('a');
  });

  test('what was taken off again costs nothing', async () => {
    await add('one', ['first']);
    const before = await fairState();
    for (const priority of ['low', 'default', 'high'] as const)
      await add('one', ids(priority, 20), { priority, cost: 3 });
    const all = (['low', 'default', 'high'] as const).flatMap((priority) => ids(priority, 20));
    await Promise.all([...all, ...all].map((id) => producer.remove({ id, kind: 'chat' })));
    const score = Object.fromEntries(
      (await fairState()).flatMap((name, at, list) => (at % 2 ? [] : [[name, list[at + 1]]])),
    );
    expect(score).toMatchObject({ 'default:one': before.at(-1), 'low:one': before.at(-1) });
    expect(score['high:one']).toBe(score.now);
  });

  test('a job that waits for another try keeps its turn', async () => {
    await add('one', ids('a', 20));
    let failed = false;
    const started = await order(async (id) => {
      if (id !== 'a0' || failed) return 'done';
      failed = true;
      return { againAfterMs: 0 };
    });
    expect(started.indexOf('a0', 1)).toBeLessThan(4);
  });

  test('a queue that never runs empty goes on in order, however far its clock has come', async () => {
    await add('one', ['first']);
    for (const far of [2 ** 21 - 2, 2 ** 32, 2 ** 40]) {
      await admin.zadd(tags(), far, 'now');
      await add('big', ids(`big${far}-`, 5));
      await add('small', [`small${far}`]);
    }
    const started = await order();
    expect(started.map((id) => (id.startsWith('small') ? 'small' : id.startsWith('big') ? 'big' : id))).toEqual([
      'first',
      ...Array.from({ length: 3 }, () => ['big', 'small', 'big', 'big', 'big', 'big']).flat(),
    ]);
  });

  test('without its state the queue goes on from the first that waits; nothing is lost', async () => {
    await add('big', ids('big', 5));
    await order();
    await add('big', ids('big', 10));
    await admin.zadd(tags(), 100, 'now');
    await add('big', ids('next', 10));
    for (const id of ids('big', 10)) await producer.remove({ id, kind: 'chat' });
    await admin.del(tags());
    await add('small', ['small']);
    const started = await order();
    expect(started).toHaveLength(11);
    expect(started.indexOf('small')).toBe(1);
  });

  test('keeps nothing of accounts whose turn is over: the state is as large as those who wait', async () => {
    for (let time = 0; time < 5; time += 1) {
      for (const account of ids(`account${time}-`, 40)) await add(account, [account]);
      await order();
    }
    expect(await admin.zcard(tags())).toBeLessThanOrEqual(81);
    expect(await admin.pttl(tags())).toBeGreaterThan(0);
    await add('last', ['last']);
    expect(await fairState()).toEqual(['now', '2', 'default:last', '3', 'low:last', '3']);
    const many = Array.from({ length: 25_000 }, (_, index) => [3, `default:x${index}`]).flat();
    await admin.zadd(tags(), ...many);
    await order();
    expect(await admin.zcard(tags())).toBeLessThanOrEqual(20_001);
    expect(await admin.zscore(tags(), 'now')).toBe('2');
  });

  test('forgets accounts whose turn is over while others keep the queue busy', async () => {
    await add('big', ids('big', 60));
    let state = 0;
    await order(async (id) => {
      if (id.startsWith('big')) await add(`guest of ${id}`, [`guest${id}`]);
      state = Math.max(state, await admin.zcard(tags()));
      return 'done';
    });
    expect(state).toBeLessThan(15);
  });

  test('a Redis that has forgotten its scripts is told them again', async () => {
    await add('one', ['a']);
    await admin.script('FLUSH');
    await add('two', ['b']).catch(() => {});
    await waitUntil('it is added', () => producer.knows({ id: 'b', kind: 'chat' }).catch(() => false));
    expect((await order()).toSorted()).toEqual(['a', 'b']);
  });
});

describe('a payload', () => {
  test.each([
    ['of the release before', { jobId: 'cht_1' }],
    ['of a later release', { v: 2, jobId: 'cht_1', share: { account: 'acc_1', priority: 'high' }, model: { id: 'x' } }],
  ])('%s is handled by its id', async (_, payload) => {
    const { llm } = producer.queues;
    await llm.add('chat', payload as QueuePayload, { jobId: 'cht_1' });
    expect(await order()).toEqual(['cht_1']);
    await llm.add('chat', payload as QueuePayload, { jobId: 'cht_1', priority: 7 });
    await producer.remove({ id: 'cht_1', kind: 'chat' });
    expect(await producer.knows({ id: 'cht_1', kind: 'chat' })).toBe(false);
  });

  test('carries ids and figures alone, and its id where the release before looks for it', async () => {
    await add('acc_1', ['cht_1']);
    expect((await producer.queues.llm.getJob('cht_1'))?.data).toEqual({
      v: 1,
      jobId: 'cht_1',
      share: { account: 'acc_1', priority: 'default', cost: 1 },
    });
  });
});
