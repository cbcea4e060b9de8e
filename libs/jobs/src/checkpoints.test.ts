import type { Database } from '@aigolos/db';
import { testLog, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ACCOUNT, createHarness, type Harness } from '../test/harness.ts';
import { startRenewals } from './renewals.ts';

const redis = useRedis();
const mongo = useMongo();
let house: Harness;
beforeEach(async () => {
  house = await createHarness(redis, mongo);
});
afterEach(() => house.close());

type News = Parameters<Database['jobs']['renew']>[2];

/** Renews the claim of a job as an attempt does, and keeps what was written. */
async function claimed({ renewMs, failFirst = false }: { renewMs: number; failFirst?: boolean }) {
  const { _id } = await house.submitChat();
  await house.db.jobs.claim(_id, { worker: 'w', leaseMs: 10_000 });
  const writes: News[] = [];
  const lost = Promise.withResolvers<void>();
  const renew: Database['jobs']['renew'] = (id, fence, news) => {
    writes.push(news);
    const fails = failFirst && writes.length === 1;
    return fails ? Promise.reject(new Error('told to fail')) : house.db.jobs.renew(id, fence, news);
  };
  const renewals = startRenewals({
    job: { _id, fence: 1, progress: 0 },
    db: { jobs: { renew } },
    log: testLog,
    leaseMs: 10_000,
    renewMs,
    onLost: lost.resolve,
    onCancelRequested: () => {},
    onKept: () => {},
  });
  return { id: _id, writes, lost: lost.promise, renewals };
}

test('a checkpoint is in the record within about a second, long before the next renewal', async () => {
  const { id, renewals } = await claimed({ renewMs: 60_000 });
  renewals.checkpoint({ chunks: 1 });
  renewals.checkpoint({ chunks: 2 });
  await waitUntil('it is written', async () => (await house.db.jobs.find(id))?.checkpoint !== undefined, 3_000);
  expect((await house.db.jobs.find(id))?.checkpoint).toEqual({ chunks: 2 });
  renewals.stop();
});

test('a checkpoint is written once, however often the lease is renewed after it', async () => {
  const { writes, renewals } = await claimed({ renewMs: 20 });
  await renewals.checkpointNow({ chunks: 1 });
  const before = writes.length;
  await waitUntil('it is renewed', () => writes.length >= before + 3);
  renewals.stop();
  expect(writes.filter(({ checkpoint }) => checkpoint !== undefined)).toHaveLength(1);
});

test('a renewal that fails is tried again with all it had to say, and the claim goes on', async () => {
  const { id, renewals, lost } = await claimed({ renewMs: 60_000, failFirst: true });
  await Promise.race([renewals.checkpointNow({ chunks: 1 }), lost]);
  expect((await house.db.jobs.find(id))?.checkpoint).toEqual({ chunks: 1 });
  renewals.stop();
});

test('what checkpointNow resolved for is in the record', async () => {
  const { id, renewals } = await claimed({ renewMs: 60_000 });
  for (let chunks = 1; chunks <= 5; chunks += 1) {
    await renewals.checkpointNow({ chunks });
    expect((await house.db.jobs.find(id))?.checkpoint).toEqual({ chunks });
  }
  renewals.stop();
});

test('checkpointNow rejects where somebody else owns the job by now, and its value is not written', async () => {
  const rejected = Promise.withResolvers<unknown>();
  house.startWorker(async ({ job, checkpointNow }) => {
    if (job.fence > 1) throw new Error('not again');
    await house.db.jobs.release(job._id, job.fence, { outcome: 'retried' });
    await checkpointNow({ chunks: 1 }).catch(rejected.resolve);
    throw new Error('stopped');
  });
  const { _id } = await house.submitChat();
  expect(await rejected.promise).toMatchObject({ stopCause: 'lost' });
  expect((await house.jobs.get(ACCOUNT, _id)).checkpoint).toBeUndefined();
});
