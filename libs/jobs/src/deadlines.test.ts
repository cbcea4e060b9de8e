import { once } from 'node:events';
import { newJobRecord } from '@aigolos/db';
import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answer } from '../test/answers.ts';
import { ACCOUNT, createHarness, type Harness } from '../test/harness.ts';
import type { JobContext } from './index.ts';

const redis = useRedis();
const mongo = useMongo();
let house: Harness;
beforeEach(async () => {
  house = await createHarness(redis, mongo);
});
afterEach(() => house.close());

const chat = { kind: 'chat' as const, account: ACCOUNT, task: { model: 'm', messages: [], stop: [] } };
const submit = async (terms: { startWithinSeconds?: number; finishWithinSeconds?: number; conversation?: string }) => {
  const { conversation, ...within } = terms;
  const task = { ...chat.task, ...(conversation !== undefined && { conversation }) };
  return (await house.jobs.submit({ ...chat, task, ...within })).job._id;
};
const ended = (id: string) => house.jobs.waitForEnd(ACCOUNT, id, { timeoutMs: 10_000 });
const sweep = () => house.reconciler.sweep(new AbortController().signal);
const untilStopped = async ({ signal }: JobContext<'chat'>) => {
  await once(signal, 'abort');
  return answer('too late');
};
const MISSED = new Date(Date.now() - 1_000);

test('a job that nobody began in time expires by a sweep: without usage, its owner hears of it, and no worker runs it', async () => {
  const id = await submit({ startWithinSeconds: 0.05 });
  const heard = ended(id);
  await waitUntil('it is swept', async () => {
    await sweep();
    return (await house.jobs.get(ACCOUNT, id)).status === 'expired';
  });
  const job = await heard;
  expect(job).toMatchObject({ status: 'expired', attempt: 0, webhooksPending: true });
  expect([job.usage, job.deadlineAt, job.attempts]).toEqual([undefined, undefined, undefined]);
  expect(job.expiresAt).toBeInstanceOf(Date);
  const ran: string[] = [];
  house.startWorker(async ({ job: { _id } }) => {
    ran.push(_id);
    return answer('');
  });
  await ended((await house.submitChat())._id);
  expect(ran).not.toContain(id);
});

test('of a time to start and an earlier one to end the earlier counts while it waits', async () => {
  const id = await submit({ startWithinSeconds: 60, finishWithinSeconds: 0.05 });
  await waitUntil('it is swept', async () => {
    await sweep();
    return (await house.jobs.get(ACCOUNT, id)).status === 'expired';
  });
});

test('a worker that takes a job which it cannot begin in time lets it expire', async () => {
  const job = newJobRecord({ ...chat, _id: 'cht_late', startBy: MISSED, deadlineAt: MISSED });
  await house.db.jobs.insert(job);
  await house.producer.add({ id: job._id, kind: 'chat', account: ACCOUNT });
  let ran = false;
  house.startWorker(async () => {
    ran = true;
    return answer('');
  });
  expect(await ended(job._id)).toMatchObject({ status: 'expired', fence: 0 });
  expect(ran).toBe(false);
});

test('a job that began once and was put back is past its first deadline', async () => {
  const id = await submit({ startWithinSeconds: 0.3 });
  await house.db.jobs.claim(id, { worker: 'first', leaseMs: 5_000 });
  await house.db.jobs.release(id, 1, { outcome: 'drained' });
  const { startBy } = await house.jobs.get(ACCOUNT, id);
  await waitUntil('the deadline is past', () => (startBy ?? MISSED) < new Date());
  await sweep();
  house.startWorker(async () => answer('in the end'));
  expect(await ended(id)).toMatchObject({ status: 'completed', result: { text: 'in the end' } });
});

test('the engine is stopped at the last deadline; a result that comes after it is none, but what it took is told', async () => {
  const stopped = Promise.withResolvers<number>();
  house.startWorker(async (context) => {
    const late = await untilStopped(context);
    stopped.resolve(Date.now());
    return late;
  });
  const id = await submit({ finishWithinSeconds: 0.4 });
  const job = await ended(id);
  expect(job).toMatchObject({ status: 'expired', usage: { completionTokens: 1 } });
  expect(job.result).toBeUndefined();
  expect(job.attempts).toMatchObject([{ fence: 1, outcome: 'expired' }]);
  expect((await stopped.promise) - (job.finishBy?.getTime() ?? 0)).toBeLessThan(1_000);
});

test('a job whose worker died expires by a sweep when its last deadline has come', async () => {
  const attempts = [{ fence: 1, worker: 'dead', startedAt: MISSED }];
  const claimed = { status: 'in_progress' as const, fence: 1, attempt: 1, attempts, worker: 'dead', startedAt: MISSED };
  const job = newJobRecord({
    ...chat,
    _id: 'cht_dead',
    ...claimed,
    leaseUntil: MISSED,
    finishBy: MISSED,
    deadlineAt: MISSED,
  });
  await house.db.jobs.insert(job);
  await sweep();
  const swept = await house.jobs.get(ACCOUNT, job._id);
  expect(swept).toMatchObject({ status: 'expired', crashes: 1, attempts: [{ outcome: 'vanished' }] });
});

test('a turn that expired, or was cancelled, lets the next one of its conversation go on at once', async () => {
  const { _id: conversation } = await house.db.conversations.create(ACCOUNT);
  const ran: (number | undefined)[] = [];
  const begun = Promise.withResolvers<void>();
  house.startWorker(
    async (context) => {
      ran.push(context.job.turn);
      begun.resolve();
      return context.job.turn === 0 ? untilStopped(context) : answer('next');
    },
    { concurrency: 4 },
  );
  const first = await submit({ conversation, finishWithinSeconds: 1.5 });
  await begun.promise;
  const [second, third] = [await submit({ conversation }), await submit({ conversation })];
  const { llm } = house.producer.queues;
  await waitUntil('they wait for their turn', async () => (await llm.getDelayedCount()) === 2);
  await house.jobs.cancel(ACCOUNT, second);
  const expired = await ended(first);
  const last = await ended(third);
  expect([expired.status, last.status, ran]).toEqual(['expired', 'completed', [0, 2]]);
  // Who had to look again by himself would look five seconds after he began to wait.
  expect((last.startedAt?.getTime() ?? 0) - (expired.finishedAt?.getTime() ?? 0)).toBeLessThan(1_500);
});

test('an answer that a limit cut off ends incomplete, with its result, its usage and its messages', async () => {
  const { _id: conversation } = await house.db.conversations.create(ACCOUNT);
  house.startWorker(async () => ({
    ...answer('cut o'),
    result: { text: 'cut o', finishReason: 'length' },
    status: 'incomplete' as const,
  }));
  const job = await ended((await house.submitChat({ conversation }))._id);
  expect(job).toMatchObject({ status: 'incomplete', result: { text: 'cut o' }, usage: { completionTokens: 1 } });
  expect(job.attempts).toMatchObject([{ outcome: 'incomplete' }]);
  await waitUntil('it is written', async () => {
    const written = await house.db.conversations.lastMessages(conversation, 10);
    return written.at(-1)?.content === 'cut o';
  });
});
