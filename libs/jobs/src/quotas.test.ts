import { once } from 'node:events';
import { LlmServiceError, NO_AMOUNTS, newId, type OwnLimits } from '@aigolos/contracts';
import { createMetrics } from '@aigolos/runtime';
import { testLog, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answer } from '../test/answers.ts';
import { createHarness, type Harness } from '../test/harness.ts';
import { createReconciler, type Submission } from './index.ts';

const redis = useRedis();
const mongo = useMongo();
let house: Harness;
let account: string;
beforeEach(async () => {
  house = await createHarness(redis, mongo);
  account = (await house.db.access.ensureAccount('limited'))._id;
});
afterEach(() => house.close());

const allow = (limits: OwnLimits) => house.db.access.setLimits(account, limits);
const submit = (more: Partial<Submission<'chat'>> = {}) => {
  const task = { model: 'm', messages: [{ role: 'user' as const, content: 'four' }], stop: [], maxTokens: 99 };
  return house.jobs.submit({ kind: 'chat', account, task, ...more });
};
const ended = (id: string) => house.jobs.waitForEnd(account, id, { timeoutMs: 10_000 });
const state = () => house.db.quotas.stateOf(account, new Date());
/** A reconciler for which what is held is held long enough. */
const sweep = () => {
  const deps = { ...house, log: testLog };
  return createReconciler(deps, createMetrics('test'), { reservedGraceMs: 0 }).sweep(new AbortController().signal);
};
const sweepUntil = async (id: string, status: string) => {
  await sweep();
  return (await house.jobs.get(account, id)).status === status;
};
const refusedAs = (code: string) => expect.objectContaining({ code }) as Error;

test('an account without limits asks the database nothing more, and nothing is counted for it', async () => {
  const asked = vi.spyOn(house.db.quotas, 'reserve');
  const settled = vi.spyOn(house.db.quotas, 'settle');
  house.startWorker(async () => answer('yes'));
  await ended((await submit()).job._id);
  expect([asked.mock.calls, settled.mock.calls]).toEqual([[], []]);
});

test('what a job used is taken of the quota, in the place of what was set aside for it', async () => {
  await allow({ tokens_per_day: 150 });
  const { job } = await submit();
  expect((await state())?.taken.day).toMatchObject({ requests: 1, tokens: 100 });
  await expect(submit()).rejects.toThrow(/150 tokens a day and has used 100, .* asks for 100.*T00:00:00\.000Z/);
  house.startWorker(async () => answer('yes'));
  await ended(job._id);
  expect(await state()).toMatchObject({ jobs: 0, taken: { day: { requests: 1, tokens: 2 } } });
  await submit();
});

test.each(['failed', 'cancelled', 'expired'] as const)('of a job that %s nothing is taken', async (end) => {
  await allow({ requests_per_day: 1, concurrent_jobs: 1 });
  const { job } = await submit(end === 'expired' ? { startWithinSeconds: 0.01 } : {});
  if (end === 'cancelled') await house.jobs.cancel(account, job._id);
  else if (end === 'failed')
    house.startWorker(() => Promise.reject(new LlmServiceError('no', { code: 'LLM_ENGINE_REJECTED' })));
  else await waitUntil('it expires', () => sweepUntil(job._id, end));
  expect((await ended(job._id)).status).toBe(end);
  await waitUntil('there is room', async () => (await state())?.jobs === 0);
  expect((await state())?.taken.day).toEqual(NO_AMOUNTS);
});

test('a running job that is cancelled makes room once', async () => {
  await allow({ concurrent_jobs: 1 });
  const started = Promise.withResolvers<void>();
  house.startWorker(async ({ signal }) => {
    started.resolve();
    await once(signal, 'abort');
    throw signal.reason;
  });
  const { job } = await submit();
  await started.promise;
  await expect(submit()).rejects.toEqual(refusedAs('TOO_MANY_JOBS'));
  await Promise.all([house.jobs.cancel(account, job._id), house.jobs.cancel(account, job._id)]);
  await ended(job._id);
  await waitUntil('there is room', async () => (await state())?.jobs === 0);
});

test('one request under a key takes once, however often it is sent, and is not refused when all is taken', async () => {
  await allow({ requests_per_day: 2 });
  const once = { key: 'k', fingerprint: 'f' };
  const first = await Promise.all(Array.from({ length: 10 }, () => submit({ once })));
  expect(new Set(first.map(({ job }) => job._id)).size).toBe(1);
  expect(await state()).toMatchObject({ jobs: 1, taken: { day: { requests: 1 } } });
  await submit();
  await expect(submit()).rejects.toEqual(refusedAs('QUOTA_EXCEEDED'));
  expect(await submit({ once })).toMatchObject({ replayed: true, job: { _id: first[0]?.job._id } });
});

test('the reservation of a job whose worker dies stays, and is settled once when another one ends it', async () => {
  await allow({ concurrent_jobs: 1, tokens_per_day: 1_000 });
  const { job } = await submit();
  await house.db.jobs.claim(job._id, { worker: 'one that dies', leaseMs: 1 });
  await waitUntil(
    'its lease is over',
    async () => ((await house.jobs.get(account, job._id)).leaseUntil ?? 0) < new Date(),
  );
  await sweep();
  expect(await state()).toMatchObject({ jobs: 1, taken: { day: { tokens: 100 } } });
  house.startWorker(async () => answer('yes'));
  await waitUntil('it has ended', () => sweepUntil(job._id, 'completed'));
  await Promise.all([sweep(), sweep()]);
  expect(await state()).toMatchObject({ jobs: 0, taken: { day: { requests: 1, tokens: 2 } } });
});

test('what a process that died left reserved is settled by a sweep: of an end that nobody told, and of jobs that never were', async () => {
  await allow({ tokens_per_day: 1_000 });
  const { job } = await submit();
  const claim = await house.db.jobs.claim(job._id, { worker: 'one that dies after the end', leaseMs: 10_000 });
  expect(claim.outcome).toBe('claimed');
  const usage = { promptTokens: 1, completionTokens: 2 };
  await house.db.jobs.finish(job._id, 1, { status: 'completed', finishedAt: new Date(), usage });
  const amounts = { ...NO_AMOUNTS, requests: 1, tokens: 500 };
  await house.db.quotas.reserve(account, newId('chat'), { amounts, limits: {}, now: new Date() });
  await sweep();
  expect(await state()).toMatchObject({ jobs: 0, taken: { day: { requests: 1, tokens: 3 } } });
});

test('a job that waits or runs keeps its reservation however long that takes', async () => {
  await allow({ concurrent_jobs: 1 });
  await submit();
  await sweep();
  expect((await state())?.jobs).toBe(1);
});
