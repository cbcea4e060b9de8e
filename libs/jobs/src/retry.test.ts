import { LlmServiceError } from '@aigolos/contracts';
import { type JobRecord, newJobRecord } from '@aigolos/db';
import { testLog as log, useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answer } from '../test/answers.ts';
import { ACCOUNT, createHarness, type Harness } from '../test/harness.ts';
import { retryJob } from './index.ts';

const redis = useRedis();
const mongo = useMongo();
let house: Harness;
beforeEach(async () => {
  house = await createHarness(redis, mongo);
});
afterEach(() => house.close());

const retry = (id: string) => retryJob({ ...house, log }, id);
const ended = (id: string) => house.jobs.waitForEnd(ACCOUNT, id, { timeoutMs: 10_000 });
const insert = async (fields: Partial<JobRecord<'chat'>>) => {
  const task = { model: 'm', messages: [], stop: [] };
  const job = newJobRecord({ _id: 'cht_1', kind: 'chat', account: ACCOUNT, task, ...fields });
  await house.db.jobs.insert(job);
  return job._id;
};

test('a failed job goes back to its queue and ends anew; its timeline tells of both, and who watches hears the second run alone', async () => {
  let broken = true;
  house.startWorker(async ({ emitDelta }) => {
    emitDelta(broken ? 'bro' : 'whole');
    if (broken) throw new LlmServiceError('broken', { code: 'LLM_ENGINE_REJECTED' });
    return answer('whole');
  });
  const { _id } = await house.submitChat();
  expect(await ended(_id)).toMatchObject({ status: 'failed', attempt: 1 });
  await house.db.jobs.clearWebhooksPending([_id]);
  broken = false;
  expect(await retry(_id)).toMatchObject({ fence: 2, retries: 1 });
  const news = await Array.fromAsync(house.jobs.watch(ACCOUNT, _id, AbortSignal.timeout(10_000)));
  expect(news.filter(({ type }) => type === 'delta')).toMatchObject([{ text: 'whole' }]);
  const job = await ended(_id);
  expect(job).toMatchObject({ status: 'completed', attempt: 1, result: { text: 'whole' }, webhooksPending: true });
  expect(job.failure).toBeUndefined();
  expect(job.attempts).toMatchObject([
    { fence: 1, outcome: 'failed', error: 'LLM_ENGINE_REJECTED' },
    { fence: 3, outcome: 'completed' },
  ]);
});

test('deadlines that were missed do not bind it any more, nor does the wish to cancel it', async () => {
  const missed = new Date(Date.now() - 1_000);
  const id = await insert({
    status: 'expired',
    startBy: missed,
    finishBy: missed,
    cancelRequestedAt: missed,
    finishedAt: missed,
  });
  house.startWorker(async () => answer('after all'));
  await retry(id);
  await house.reconciler.sweep(new AbortController().signal);
  expect(await ended(id)).toMatchObject({ status: 'completed', result: { text: 'after all' } });
});

describe('is refused, with what stands against it, of a job', () => {
  test.each([
    ['that runs', { status: 'in_progress' }, 'it is in_progress'],
    ['that has a result', { status: 'completed' }, 'it is completed'],
    ['whose end was not told yet', { status: 'failed', webhooksPending: true }, 'its end is just being told'],
    ['whose input is gone', { status: 'failed', inputDeletedAt: new Date() }, 'its input has been deleted'],
  ] as const)('%s', async (_what, fields, message) => {
    const id = await insert(fields);
    await expect(retry(id)).rejects.toMatchObject({
      code: 'JOB_NOT_RETRYABLE',
      message: expect.stringContaining(message),
    });
  });

  test('whose conversation has gone on since', async () => {
    const id = await insert({ status: 'failed', conversation: 'cnv_1', turn: 3 });
    const later = { conversation: 'cnv_1', turn: 4 };
    await insert({ _id: 'cht_2', ...later, status: 'completed' });
    await expect(retry(id)).rejects.toThrow('turn 3 of conversation cnv_1, which has gone on since');
  });

  test('that is not there', async () => {
    await expect(retry('cht_none')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});
