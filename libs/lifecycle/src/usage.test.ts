import { NO_AMOUNTS } from '@aigolos/contracts';
import type { JobRecord, UsageSum } from '@aigolos/db';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { countUsage, forgetUsage } from './index.ts';
import { openTestInstallation, type TestInstallation } from './installation.fake.ts';
import { removeAccount, removeJob } from './removal.ts';

const redis = useRedis();
const mongo = useMongo();
let house: TestInstallation;
beforeEach(async () => {
  house = await openTestInstallation(redis, mongo);
});
afterEach(() => house.close());

const { signal } = new AbortController();
const AT = new Date('2026-11-28T10:30:00Z');
const DAY = 86_400;
const ended = (fields: Partial<JobRecord> = {}) =>
  house.insertJob({
    usage: { promptTokens: 5, completionTokens: 2, computeMs: 10 },
    finishedAt: AT,
    usagePending: true,
    ...fields,
  });
const used = (by: Parameters<typeof house.db.usage.sums>[1]['by'] = []): Promise<UsageSum[]> =>
  house.db.usage.sums({ from: 0, to: AT.getTime() / 1_000 + DAY }, { seconds: DAY, by });

test('what a job used is counted once, however often and by however many that is tried', async () => {
  const id = await ended({ apiKey: 'key_1' });
  await Promise.all([countUsage(house, signal), countUsage(house, signal)]);
  // As when a process died between the two writes.
  const job = { ...(await house.db.jobs.find(id)), usagePending: true } as JobRecord;
  await removeJob(house, house.account, id);
  await house.db.jobs.insert(job);
  expect(await countUsage(house, signal)).toBe(1);
  expect(await countUsage(house, signal)).toBe(0);
  expect(await used(['account', 'apiKey', 'kind', 'model', 'batch'])).toMatchObject([
    {
      start: Date.parse('2026-11-28') / 1_000,
      requests: 1,
      inputTokens: 5,
      outputTokens: 2,
      computeMs: 10,
      account: house.account,
      apiKey: 'key_1',
      kind: 'chat',
      model: 'test',
      batch: false,
    },
  ]);
});

test('many are counted in one look', async () => {
  await Promise.all(Array.from({ length: 30 }, () => ended()));
  expect(await countUsage(house, signal)).toBe(30);
  expect(await used()).toMatchObject([{ requests: 30, inputTokens: 150 }]);
});

test('a job that is deleted right after its end, before anybody counted it, stays counted', async () => {
  const id = await ended();
  expect(await removeJob(house, house.account, id)).toEqual([]);
  expect(await house.db.jobs.find(id)).toBeUndefined();
  expect(await used()).toMatchObject([{ requests: 1 }]);
});

test('a voice turn is one request, of three services under the models of each', async () => {
  const speech = { model: 'tts', voice: 'v', format: 'mp3' as const, speed: 1 };
  const audio = { blobKey: 'b', bytes: 1, sha256: '0' };
  const task = { model: 'llm', transcription: { model: 'asr' }, speech, audio };
  const usage = { audioSeconds: 2.5, promptTokens: 3, completionTokens: 4, inputCharacters: 9, computeMs: 7 };
  await ended({ kind: 'voice-turn', task, usage });
  await countUsage(house, signal);
  const rows = (await used(['model'])).toSorted((a, b) => String(a.model).localeCompare(String(b.model)));
  expect(rows).toMatchObject([
    { model: 'asr', requests: 1, audioSeconds: 2.5, computeMs: 7, rows: 1 },
    { model: 'llm', requests: 0, inputTokens: 3, outputTokens: 4, computeMs: 0, rows: 1 },
    { model: 'tts', requests: 0, characters: 9, rows: 1 },
  ]);
});

test('each end of a job that was sent back counts what it used, and only one that made something is a request', async () => {
  await ended({ _id: 'cht_1', status: 'expired' });
  await countUsage(house, signal);
  await removeJob(house, house.account, 'cht_1');
  await ended({ _id: 'cht_1', retries: 1 });
  await countUsage(house, signal);
  expect(await used()).toMatchObject([{ requests: 1, inputTokens: 10, rows: 2 }]);
});

test('a queued job that is deleted gives back what was set aside for it', async () => {
  const wanted = { amounts: { ...NO_AMOUNTS, requests: 1 }, limits: { concurrent_jobs: 1 }, now: new Date() };
  const answer = await house.db.quotas.reserve(house.account, 'cht_1', wanted);
  if (!('reservation' in answer)) throw new Error('there is room');
  await house.insertJob({ _id: 'cht_1', status: 'queued', reservation: answer.reservation });
  await removeJob(house, house.account, 'cht_1');
  expect(await house.db.quotas.stateOf(house.account, new Date())).toMatchObject({
    jobs: 0,
    taken: { day: NO_AMOUNTS, month: NO_AMOUNTS },
  });
});

test('with an account its usage goes, also what is counted while it goes', async () => {
  await ended();
  await countUsage(house, signal);
  await ended();
  await house.db.quotas.reserve(house.account, 'x', { amounts: NO_AMOUNTS, limits: {}, now: new Date() });
  await Promise.all([removeAccount(house, house.account), countUsage(house, signal)]);
  await removeAccount(house, house.account);
  expect(await used()).toEqual([]);
  expect(await house.db.quotas.stateOf(house.account, new Date())).toBeUndefined();
});

test('what is older than it is to be kept goes', async () => {
  await ended();
  await ended({ finishedAt: new Date(Date.now() - 1_000) });
  await countUsage(house, signal);
  const days = Math.floor((Date.now() - AT.getTime()) / 1_000 / DAY);
  expect(await forgetUsage(house, days + 1)).toBe(0);
  await ended({ finishedAt: new Date(AT.getTime() - 10 * DAY * 1_000) });
  await countUsage(house, signal);
  expect(await forgetUsage(house, days + 1)).toBe(1);
});
