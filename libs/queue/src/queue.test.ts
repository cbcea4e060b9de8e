import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { testLog as log, startRedis, useRedis, waitUntil } from '@aigolos/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createCancelReceiver,
  createCancelSender,
  createLiveStreams,
  createProducer,
  createQueueWorker,
  type Handled,
  startSchedule,
} from './index.ts';

const redis = useRedis();
let config: { REDIS_URL: string; QUEUE_PREFIX: string };
let closers: (() => Promise<unknown>)[];
beforeEach(() => {
  config = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` };
  closers = [];
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});
const closing = <T extends { close: () => Promise<unknown> }>(part: T): T => {
  closers.push(() => part.close());
  return part;
};

describe('a queue', () => {
  test('hands out each id once, and knows it until it is handled', async () => {
    const producer = closing(await createProducer(config, log));
    const job = { id: 'cht_1', kind: 'chat', account: 'acc_1' } as const;
    await producer.add(job);
    await producer.add(job);
    expect(await producer.knows(job)).toBe(true);
    const handled: string[] = [];
    closing(
      createQueueWorker({
        redis: config,
        queue: 'llm',
        concurrency: 2,
        log,
        handle: async (id) => {
          handled.push(id);
          return 'done';
        },
      }),
    );
    await waitUntil('the id is forgotten', async () => !(await producer.knows(job)));
    expect(handled).toEqual(['cht_1']);
    await producer.add(job);
    await waitUntil('the same id is handed out again', () => handled.length === 2);
  });

  test('an id that is not done, or whose handling failed, comes again', async () => {
    const producer = closing(await createProducer(config, log));
    const answers = [() => ({ againAfterMs: 10 }), () => Promise.reject(new Error('our fault')), () => 'done' as const];
    const times: number[] = [];
    closing(
      createQueueWorker({
        redis: config,
        queue: 'llm',
        concurrency: 1,
        log,
        handle: async () => (answers[times.push(Date.now()) - 1] ?? (() => 'done' as const))(),
      }),
    );
    await producer.add({ id: 'cht_1', kind: 'chat', account: 'acc_1' });
    await waitUntil('it was handled three times', () => times.length === 3);
    await waitUntil('it is done', async () => !(await producer.knows({ id: 'cht_1', kind: 'chat' })));
  });

  test('a delivery that is kept for later comes at once when it is added again, and not twice', async () => {
    const producer = closing(await createProducer(config, log));
    const answers: Handled[] = [{ againAfterMs: 3_600_000 }];
    let handled = 0;
    closing(
      createQueueWorker({
        redis: config,
        queue: 'webhooks',
        concurrency: 2,
        log,
        handle: async () => answers[handled++] ?? 'done',
      }),
    );
    await producer.addDelivery('whd_1');
    await waitUntil('it is kept for later', async () => (await producer.queues.webhooks.getDelayedCount()) === 1);
    await Promise.all([producer.addDelivery('whd_1'), producer.addDelivery('whd_1')]);
    await waitUntil('it is done', async () => !(await producer.knowsDelivery('whd_1')));
    expect(handled).toBe(2);
  });

  test('a producer fails at once while Redis is away, and works again when it is back', async () => {
    const own = await startRedis();
    closers.push(() => own.kill());
    const producer = closing(await createProducer({ ...config, REDIS_URL: own.url }, log));
    own.signal('SIGKILL');
    await waitUntil('the connection is lost', () =>
      producer.ping().then(
        () => false,
        () => true,
      ),
    );
    const began = Date.now();
    await expect(producer.add({ id: 'cht_1', kind: 'chat', account: 'acc_1' })).rejects.toThrow(Error);
    expect(Date.now() - began).toBeLessThan(200);
    await own.restart();
    await waitUntil('the producer is back', () => producer.ping().catch(() => false));
    await producer.add({ id: 'cht_1', kind: 'chat', account: 'acc_1' });
  });
});

describe('live streams', () => {
  const collect = async (streams: Awaited<ReturnType<typeof createLiveStreams>>, id: string) => {
    const texts: string[] = [];
    for await (const event of streams.watch(id, { idleMs: 500, signal: AbortSignal.timeout(10_000) })) {
      if (event?.type === 'delta') texts.push(event.text);
    }
    return texts.join('');
  };

  test('every watcher sees every event from the first, in order, whenever it came', async () => {
    const writer = closing(await createLiveStreams(config, log));
    const reader = closing(await createLiveStreams(config, log));
    const early = collect(reader, 'cht_1');
    for (const text of ['a', 'b', 'c']) await writer.publish('cht_1', { type: 'delta', fence: 1, text });
    const midway = collect(reader, 'cht_1');
    await writer.publish('cht_1', { type: 'delta', fence: 1, text: 'd' });
    await writer.publish('cht_1', { type: 'finished', fence: 1 });
    expect(await Promise.all([early, midway, collect(reader, 'cht_1')])).toEqual(['abcd', 'abcd', 'abcd']);
  });

  test('lets its watcher look at the record when there is no news', async () => {
    const streams = closing(await createLiveStreams(config, log));
    const watching = streams.watch('cht_1', { idleMs: 20, signal: AbortSignal.timeout(5_000) });
    expect(await watching.next()).toEqual({ done: false, value: undefined });
    await watching.return(undefined);
  });

  test('does not send its watcher to the record where there is news', async () => {
    const streams = closing(await createLiveStreams(config, log));
    const seen = Array.fromAsync(streams.watch('cht_2', { idleMs: 5_000, signal: AbortSignal.timeout(10_000) }));
    for (const text of ['a', 'b', 'c']) {
      await streams.publish('cht_2', { type: 'delta', fence: 1, text });
      await sleep(10);
    }
    await streams.publish('cht_2', { type: 'finished', fence: 1 });
    expect((await seen).map((event) => event?.type)).toEqual(['delta', 'delta', 'delta', 'finished']);
  });

  test('tell who waits for the end of that alone, whether it comes before them or after, and of silence', async () => {
    const writer = closing(await createLiveStreams(config, log));
    const reader = closing(await createLiveStreams(config, log));
    const end = (idleMs: number) =>
      Array.fromAsync(reader.ended('cht_3', { idleMs, signal: AbortSignal.timeout(10_000) }));
    const early = end(5_000);
    const impatient = reader.ended('cht_3', { idleMs: 20, signal: AbortSignal.timeout(10_000) });
    await writer.publish('cht_3', { type: 'delta', fence: 1, text: 'a' });
    expect(await impatient.next()).toEqual({ done: false, value: false });
    await writer.publish('cht_3', { type: 'finished', fence: 1 });
    // A claim may be told a moment late.
    await writer.publish('cht_3', { type: 'changed', fence: 1 });
    expect(await Promise.all([early, end(5_000)])).toEqual([[true], [true]]);
    expect((await Array.fromAsync(impatient)).at(-1)).toBe(true);
  });

  test('find the end whose message was lost', async () => {
    const writer = closing(await createLiveStreams(config, log));
    const reader = closing(await createLiveStreams(config, log));
    const waiting = reader.ended('cht_4', { idleMs: 50, signal: AbortSignal.timeout(10_000) });
    expect(await waiting.next()).toEqual({ done: false, value: false });
    const admin = new Redis(config.REDIS_URL);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await writer.publish('cht_4', { type: 'finished', fence: 1 });
    admin.disconnect();
    expect((await Array.fromAsync(waiting)).at(-1)).toBe(true);
  });

  test('telling news never fails, not even without Redis', async () => {
    const own = await startRedis();
    const streams = closing(await createLiveStreams({ ...config, REDIS_URL: own.url }, log));
    await own.kill('SIGKILL');
    await expect(streams.publish('cht_1', { type: 'finished', fence: 1 })).resolves.toBeUndefined();
  });
});

test('a cancel reaches every worker', async () => {
  const heard: string[] = [];
  for (const name of ['one', 'two']) closing(createCancelReceiver(config, log, (id) => heard.push(`${name} ${id}`)));
  const sender = closing(createCancelSender(config, log));
  await waitUntil('both heard', async () => {
    await sender.send('trn_1').catch(() => {});
    return heard.includes('one trn_1') && heard.includes('two trn_1');
  });
});

describe('a schedule', () => {
  const opened = async (handle: (name: string, slot: Date) => Promise<Handled>) =>
    closing(await startSchedule({ redis: config, concurrency: 2, handle, log }));

  test('hands out each due time once, however many processes ask for it, and what is not done again', async () => {
    const slots: number[] = [];
    let failures = 1;
    const handle = async (_: string, slot: Date): Promise<Handled> => {
      if (failures-- > 0) return { againAfterMs: 10 };
      slots.push(slot.getTime());
      return 'done';
    };
    const schedule = await opened(handle);
    await opened(handle);
    await waitUntil('three due times came', async () => {
      await schedule.ensure([{ name: 'tick', cron: '* * * * * *' }]);
      return slots.length >= 3;
    });
    expect(failures).toBeLessThan(0);
    expect(slots.filter((slot) => slot % 1_000 !== 0)).toEqual([]);
    // One that a busy machine is late for may be left out.
    expect(slots).toHaveLength(new Set(slots).size);
  });

  test('forgets tasks that are not wanted any more, and comes back after Redis forgot it', async () => {
    const own = await startRedis();
    closers.push(() => own.kill());
    config.REDIS_URL = own.url;
    const names: string[] = [];
    const schedule = await opened(async (name) => {
      names.push(name);
      return 'done';
    });
    await schedule.ensure([{ name: 'old', cron: '* * * * * *' }]);
    await own.flushAll();
    await schedule.ensure([{ name: 'old', cron: '* * * * * *' }]);
    await waitUntil('it came', () => names.includes('old'));
    await schedule.ensure([{ name: 'new', cron: '* * * * * *' }]);
    names.length = 0;
    await waitUntil('the new one came twice', () => names.filter((name) => name === 'new').length >= 2);
    expect(names).not.toContain('old');
  });
});
