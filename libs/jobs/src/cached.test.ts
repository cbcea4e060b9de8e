import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACCOUNT, createHarness, type Harness } from '../test/harness.ts';
import type { Processed } from './index.ts';

const redis = useRedis();
const mongo = useMongo();
let house: Harness;
beforeEach(async () => {
  house = await createHarness(redis, mongo);
});
afterEach(() => house.close());

const said = (text: string): Processed<'chat'> => ({
  result: { text, finishReason: 'stop' },
  usage: { promptTokens: 1, completionTokens: 1 },
  warnings: [],
});

/** A job's status as those see it who ask for it and who ask for a list. */
async function shown(id: string) {
  const [job, { jobs }] = await Promise.all([
    house.jobs.poll(ACCOUNT, id),
    house.jobs.list({ account: ACCOUNT, limit: 10 }),
  ]);
  return [job.status, jobs.find(({ _id }) => _id === id)?.status];
}

/** Asks until both answers come from the cache, which can be seen by a change that nobody tells it of. */
async function untilCached(id: string) {
  await shown(id);
  await waitUntil('status and list are cached', async () => {
    const marked = { leaseMs: 60_000, progress: Math.random() };
    await house.db.jobs.renew(id, 1, marked);
    const { progress } = await house.jobs.poll(ACCOUNT, id);
    const { jobs } = await house.jobs.list({ account: ACCOUNT, limit: 10 });
    return [progress, jobs.find(({ _id }) => _id === id)?.progress].every((seen) => seen !== marked.progress);
  });
}

describe('status and lists, asked for again and again', () => {
  test('show a submission and a cancel as soon as these are acknowledged', async () => {
    for (let time = 0; time < 10; time += 1) {
      await house.jobs.list({ account: ACCOUNT, limit: 10 });
      const { _id } = await house.submitChat();
      expect(await shown(_id)).toEqual(['queued', 'queued']);
      await house.jobs.cancel(ACCOUNT, _id);
      expect(await shown(_id)).toEqual(['cancelled', 'cancelled']);
    }
  });

  test('show the place in the queue as the owner has just changed it', async () => {
    const first = await house.submitChat();
    const { _id: id } = await house.submitChat();
    const place = async () => house.jobs.place(await house.jobs.poll(ACCOUNT, id));
    expect(await place()).toEqual({ ahead: 1, startsInMs: undefined });
    await house.jobs.cancel(ACCOUNT, first._id);
    expect(await place()).toMatchObject({ ahead: 0 });
  });

  test('show the start and the end of the work as soon as anybody is told of it', async () => {
    const { _id } = await house.submitChat();
    await waitUntil('the job is seen to wait', async () => (await shown(_id)).every((status) => status === 'queued'));
    const go = Promise.withResolvers<void>();
    const news = house.live.watch(_id, { idleMs: 10_000, signal: AbortSignal.timeout(10_000) });
    const first = news.next();
    house.startWorker(async ({ emitDelta }) => {
      emitDelta('a');
      await go.promise;
      return said('done');
    });
    expect(await first).toMatchObject({ value: { type: 'changed' } });
    expect(await shown(_id)).toEqual(['in_progress', 'in_progress']);
    await untilCached(_id);
    const told = Array.fromAsync(house.live.watch(_id, { idleMs: 10_000, signal: AbortSignal.timeout(10_000) }));
    go.resolve();
    expect((await told).at(-1)).toMatchObject({ type: 'finished' });
    expect(await shown(_id)).toEqual(['completed', 'completed']);
  });

  test('show no earlier state to whoever was told of the end, though its worker died before it could say so', async () => {
    const { _id } = await house.submitChat();
    await house.db.jobs.claim(_id, { worker: 'dies', leaseMs: 60_000 });
    await house.cache.invalidate(`job:${_id}`, `jobs-of:${ACCOUNT}`);
    await untilCached(_id);
    await house.db.jobs.finish(_id, 1, { status: 'completed', finishedAt: new Date(), ...said('done') });
    expect((await house.jobs.waitForEnd(ACCOUNT, _id, {})).status).toBe('completed');
    expect(await shown(_id)).toEqual(['completed', 'completed']);
  });

  test('show a job that a drain or a lost worker put back', async () => {
    const { _id } = await house.submitChat();
    await house.db.jobs.claim(_id, { worker: 'lost', leaseMs: 1 });
    await house.cache.invalidate(`job:${_id}`, `jobs-of:${ACCOUNT}`);
    expect(await shown(_id)).toEqual(['in_progress', 'in_progress']);
    await house.producer.remove({ id: _id, kind: 'chat' });
    await house.reconciler.sweep(new AbortController().signal);
    expect(await shown(_id)).toEqual(['queued', 'queued']);
  });

  test("are their owner's alone, and tell nothing of what was said", async () => {
    house.startWorker(async () => said('a secret answer'));
    const { _id } = await house.submitChat({ messages: [{ role: 'user', content: 'a secret question' }] });
    await house.jobs.waitForEnd(ACCOUNT, _id, { timeoutMs: 10_000 });
    const seen = await house.jobs.poll(ACCOUNT, _id);
    expect(seen).toMatchObject({ task: { model: 'test' }, usage: { promptTokens: 1 }, finishedAt: expect.any(Date) });
    const { jobs } = await house.jobs.list({ account: ACCOUNT, limit: 10 });
    expect(JSON.stringify([seen, jobs])).not.toContain('secret');
    await expect(house.jobs.poll('acc_2', _id)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    expect(await house.jobs.list({ account: 'acc_2', limit: 10 })).toEqual({ jobs: [], hasMore: false });
  });
});
