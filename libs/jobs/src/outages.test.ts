import { setTimeout as sleep } from 'node:timers/promises';
import { type MongoProcess, type RedisProcess, startMongo, startRedis, waitUntil } from '@aigolos/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { answer } from '../test/answers.ts';
import { ACCOUNT, createHarness, type Harness } from '../test/harness.ts';

let redis: RedisProcess;
let mongo: MongoProcess;
let house: Harness;
let databases = 0;
beforeAll(async () => {
  [redis, mongo] = await Promise.all([startRedis(), startMongo()]);
});
beforeEach(async () => {
  databases += 1;
  house = await createHarness(redis, { newDatabaseUrl: () => mongo.databaseUrl(`outage${databases}`) });
});
afterEach(() => house.close());
afterAll(async () => {
  await Promise.all([redis.kill('SIGKILL'), mongo.kill('SIGKILL')]);
});

const ended = (id: string) => house.jobs.waitForEnd(ACCOUNT, id, { timeoutMs: 20_000 });
/** Longer than the lease of the attempts here, and than several renewals. */
const OUTAGE_MS = 1_500;
const LEASE_MS = 600;

const OUTAGES = [
  [
    'was stopped',
    async () => {
      mongo.signal('SIGSTOP');
      await sleep(OUTAGE_MS);
      mongo.signal('SIGCONT');
    },
  ],
  [
    'was killed and came back',
    async () => {
      await mongo.goDown();
      await sleep(OUTAGE_MS);
      await mongo.comeBack();
    },
  ],
] as const;

test.each(OUTAGES)(
  'while the database %s, what runs goes on, what ends is written after it, what waits begins after it',
  async (_how, outage) => {
    const fences: number[] = [];
    const running = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    house.startWorker(
      async ({ job, checkpointNow }) => {
        fences.push(job.fence);
        const { content } = job.task.messages[0] ?? {};
        if (content === 'ends after it') {
          running.resolve();
          await over.promise;
        }
        // Begun before the outage, and written down when it is over at the latest.
        await checkpointNow({ kept: true });
        return answer(content ?? '');
      },
      { concurrency: 2, leaseMs: LEASE_MS },
    );
    const submit = async (content: string) => (await house.submitChat({ messages: [{ role: 'user', content }] }))._id;
    const long = await submit('ends after it');
    await running.promise;
    const short = await submit('ends within it');
    const away = outage();
    // Its id waits in Redis, and its record can be read by nobody yet.
    await house.producer.bringForward({ id: short, kind: 'chat' });
    over.resolve();
    await away;
    expect(await ended(long)).toMatchObject({
      status: 'completed',
      fence: 1,
      crashes: 0,
      result: { text: 'ends after it' },
    });
    expect(await ended(short)).toMatchObject({ status: 'completed', result: { text: 'ends within it' } });
    expect(fences.length).toBeLessThanOrEqual(3);
  },
);

test.each(['kept', 'lost'] as const)(
  'jobs accepted while Redis was away run as soon as it is back, its data %s',
  async (data) => {
    house.startWorker(async () => answer('done'), { concurrency: 2 });
    await ended((await house.submitChat())._id);
    await redis.goDown();
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.push((await house.submitChat())._id);
    await sleep(OUTAGE_MS);
    await redis.comeBack(data);
    const back = Date.now();
    const first = await Promise.any(ids.map(ended));
    expect((first.finishedAt?.getTime() ?? 0) - back).toBeLessThan(5_000);
    for (const id of ids) expect(await ended(id)).toMatchObject({ status: 'completed', fence: 1 });
  },
);

test('a job that runs while Redis is away ends all the same, once', async () => {
  const running = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const fences: number[] = [];
  house.startWorker(async ({ job }) => {
    fences.push(job.fence);
    running.resolve();
    await over.promise;
    return answer('done');
  });
  const { _id } = await house.submitChat();
  await running.promise;
  await redis.goDown();
  over.resolve();
  expect(await ended(_id)).toMatchObject({ status: 'completed', fence: 1 });
  await redis.comeBack('kept');
  await waitUntil(
    'the queue has let go of it',
    async () => {
      const unknown = await house.producer.unknown([{ id: _id, kind: 'chat' }]).catch(() => []);
      return unknown.length === 1;
    },
    15_000,
  );
  expect(fences).toEqual([1]);
});
