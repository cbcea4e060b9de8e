import { newId, type TranscriptionTask } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord } from '@aigolos/db';
import { createProducer, createQueueInspection } from '@aigolos/queue';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEraser } from '../erasure.ts';
import { requestErasure } from '../erasure-request.ts';
import { openTestInstallation, type TestInstallation } from '../installation.fake.ts';
import { announceJobEnds } from '../webhooks.ts';
import type { InconsistencyKind } from './check.ts';
import { createConsistencySweep, findInconsistencies } from './consistency.ts';

const redis = useRedis();
const mongo = useMongo();
const signal = new AbortController().signal;
let at: TestInstallation;
beforeEach(async () => {
  at = await openTestInstallation(redis, mongo);
});
afterEach(() => at.close());

const findings = async () => (await Array.fromAsync(findInconsistencies(at, signal))).map(({ kind, id }) => [kind, id]);
/** What each of two sweeps without grace has mended. */
async function sweepTwice(isAsked = false) {
  const sweep = createConsistencySweep(at, { graceMs: 0, isAsked });
  const counts: object[] = [];
  for (let time = 0; time < 2; time += 1) {
    const { repaired } = await sweep.sweep(signal);
    counts.push(Object.fromEntries(Object.entries(repaired).filter(([, count]) => count > 0)));
  }
  return counts;
}
/** It is found, is mended by the second sweep, and is not found any more. */
async function expectMended(kind: InconsistencyKind, id: string, isAsked = false) {
  expect(await findings()).toEqual([[kind, id]]);
  expect(await sweepTwice(isAsked)).toEqual([{}, { [kind]: 1 }]);
  expect(await findings()).toEqual([]);
}

const audio = (id: string): TranscriptionTask['audio'] => ({ blobKey: `${id}/input`, bytes: 5, sha256: 'ab' });
async function insertTranscription(fields: Partial<JobRecord<'transcription'>>) {
  const id = newId('transcription');
  const task = { model: 'test', responseFormat: 'json', wordTimestamps: false, audio: audio(id) };
  return at.insertJob({ _id: id, kind: 'transcription', task, ...fields } as Partial<JobRecord>);
}

test('what fits together is left alone', async () => {
  const { _id: conversation } = await at.db.conversations.create(at.account);
  const job = await at.insertJob({ conversation, turn: 0 });
  const messages = [{ role: 'user' as const, content: 'hi' }];
  await at.db.conversations.appendTurn({ conversation, account: at.account, job, messages, at: new Date() });
  await at.db.access.createKey({ account: at.account, role: 'user', label: 'test' });
  const transcription = await insertTranscription({ finishedAt: new Date() });
  await at.storeBlob(`${transcription}/input`);
  await requestErasure(at, at.account, { scope: { type: 'job', id: job } });
  expect(await findings()).toEqual([]);
  expect(await sweepTwice(true)).toEqual([{}, {}]);
});

test('files without a record are deleted', async () => {
  await at.storeBlob('trn_1/input');
  await expectMended('orphan_blobs', 'trn_1');
  expect(await at.blobs.exists('trn_1/input')).toBe(false);
});

test('what a worker still wrote for a job that was erased is deleted', async () => {
  const id = await at.insertJob({ status: 'in_progress', fence: 1, leaseUntil: new Date(0) });
  const job = await requestErasure(at, at.account, { scope: { type: 'job', id } });
  await createEraser(at)({ job, signal });
  await at.storeBlob(`${id}/output-1.wav`);
  expect(await at.db.jobs.finish(id, 1, { status: 'completed', finishedAt: new Date() })).toBe(false);
  await expectMended('orphan_blobs', id);
  expect(await Array.fromAsync(at.blobs.recordIds())).toEqual([]);
});

test('nothing is mended before its grace is over: what belongs to it may be on its way', async () => {
  const sweep = createConsistencySweep(at, { graceMs: 60_000 });
  await at.storeBlob('trn_1/input');
  for (let time = 0; time < 3; time += 1) expect((await sweep.sweep(signal)).repaired.orphan_blobs).toBe(0);
  expect(await at.blobs.exists('trn_1/input')).toBe(true);
});

test('what became whole in between is not mended', async () => {
  const sweep = createConsistencySweep(at, { graceMs: 0 });
  const id = newId('chat');
  await at.storeBlob(`${id}/input`);
  expect((await sweep.sweep(signal)).found.orphan_blobs).toBe(1);
  await at.insertJob({ _id: id });
  expect((await sweep.sweep(signal)).repaired.orphan_blobs).toBe(0);
  expect(await at.blobs.exists(`${id}/input`)).toBe(true);
});

test('messages and turns without their conversation are deleted', async () => {
  const conversation = newId('conversation');
  const job = await at.insertJob({ conversation, turn: 0 });
  const said = { role: 'user' as const, content: 'hi', createdAt: new Date() };
  const message = { _id: newId('message'), conversation, account: at.account, seq: 0, job, ...said };
  await at.db.transfer.insert('message', [message]);
  expect(new Set((await findings()).map(String))).toEqual(new Set([`message_without_conversation,${conversation}`]));
  expect(await sweepTwice()).toEqual([{}, { message_without_conversation: 1 }]);
  expect(await at.db.conversations.lastMessages(conversation, 9)).toEqual([]);
  expect(await at.db.jobs.find(job)).toBeUndefined();
});

describe('records without their account', () => {
  test('are deleted with all that belongs to them', async () => {
    const id = await at.insertJob({ account: 'acc_gone' });
    await at.storeBlob(`${id}/input`);
    await at.db.access.createKey({ account: 'acc_gone', role: 'user', label: 'test' });
    const found = new Set((await findings()).map(String));
    expect(found).toEqual(new Set(['record_without_account,acc_gone']));
    expect(await sweepTwice()).toEqual([{}, { record_without_account: 1 }]);
    expect([await at.db.jobs.find(id), await at.db.access.keyIds('acc_gone')]).toEqual([undefined, []]);
    expect(await at.blobs.exists(`${id}/input`)).toBe(false);
  });

  test('stay where there is no account at all: that is a mistake, which must not be made complete', async () => {
    const id = await at.insertJob();
    await at.db.access.deleteAccount(at.account);
    expect(await sweepTwice()).toEqual([{}, {}]);
    expect(await at.db.jobs.find(id)).toBeDefined();
  });
});

describe('webhooks', () => {
  test('of a job that ended long ago are made', async () => {
    await at.insertEndpoint();
    const id = await at.insertJob({ webhooksPending: true, finishedAt: new Date(Date.now() - 120_000) });
    await expectMended('job_without_webhook_rows', id);
    expect(await at.db.webhooks.deliveryIds({ job: id }, 9)).toHaveLength(1);
  });

  test('of a job that is gone are deleted', async () => {
    await at.insertEndpoint();
    const id = await at.insertJob({ finishedAt: new Date() });
    await announceJobEnds(at, [id]);
    expect(await findings()).toEqual([]);
    await at.db.jobs.deleteIdle([id]);
    await expectMended('delivery_without_job', id);
    expect(await at.db.webhooks.deliveryIds({ job: id }, 9)).toEqual([]);
  });
});

test('what a queue holds of jobs that have ended or are gone, and of webhooks that are settled, is taken off it', async () => {
  const queues = createQueueInspection(at.producer);
  const deps = { ...at, queues };
  const add = (id: string) => at.producer.add({ id, kind: 'chat', account: at.account });
  const open = await at.insertJob({ status: 'queued' });
  const ended = await at.insertJob({ finishedAt: new Date() });
  for (const id of [open, ended, 'cht_gone']) await add(id);
  await at.producer.queues.asr.add('later', { jobId: 'trn_gone' }, { jobId: 'trn_gone', delay: 3_600_000 });
  await at.producer.addDelivery('whd_gone');
  const left = [`asr/trn_gone`, `llm/${ended}`, 'llm/cht_gone', 'webhooks/whd_gone'].toSorted();
  const found = await Array.fromAsync(findInconsistencies(deps, signal));
  expect(found.map(({ id }) => id).toSorted()).toEqual(left);
  const sweep = createConsistencySweep(deps, { graceMs: 0 });
  await sweep.sweep(signal);
  expect((await sweep.sweep(signal)).repaired.queue_entry_without_job).toBe(4);
  expect(await Array.fromAsync(queues.entries())).toEqual([{ queue: 'llm', id: open }]);
});

test('queues that cannot be looked into keep nothing else from being found', async () => {
  await at.storeBlob('trn_1/input');
  const away = await createProducer(at.redis, at.log);
  await away.close();
  const found = await Array.fromAsync(findInconsistencies({ ...at, queues: createQueueInspection(away) }, signal));
  expect(found).toMatchObject([{ kind: 'orphan_blobs', id: 'trn_1' }]);
});

describe('a lost file', () => {
  test('is only told of by itself, for it may come back from a backup', async () => {
    const id = await insertTranscription({ finishedAt: new Date() });
    expect(await sweepTwice()).toEqual([{}, {}]);
    expect(await findings()).toEqual([['missing_blob', id]]);
    await at.storeBlob(`${id}/input`);
    expect(await findings()).toEqual([]);
  });

  test('is noted in the record of a job that has ended, when somebody asks for it', async () => {
    const id = await insertTranscription({ finishedAt: new Date() });
    await expectMended('missing_blob', id, true);
    expect(await at.db.jobs.find(id)).toMatchObject({ status: 'completed', inputDeletedAt: expect.any(Date) });
  });

  test('fails the transcription that waits for it, with the reason', async () => {
    const id = await insertTranscription({ status: 'queued' });
    await expectMended('missing_blob', id, true);
    const job = await at.db.jobs.find(id);
    expect(job).toMatchObject({ status: 'failed', failure: { code: 'AUDIO_NOT_AVAILABLE' } });
    expect(job?.expiresAt?.getTime()).toBeGreaterThan(Date.now());
  });
});

describe('files of a speech', () => {
  const insertSpeech = async (fields: Partial<JobRecord<'speech'>>) => {
    const task = { model: 'test', voice: 'v', input: 'hi', format: 'mp3', speed: 1 } as const;
    const id = await at.insertJob({ kind: 'speech', task, ...fields });
    for (const name of ['part-1-0.s16le', 'part-2-1.s16le', 'output-1.mp3', 'output-2.mp3', 'timings-2.json']) {
      await at.storeBlob(`${id}/${name}`);
    }
    return id;
  };
  const filesOf = async (id: string) => (await Array.fromAsync(at.blobs.list(id), ({ key }) => key)).toSorted();

  const resultOf = (id: string) => ({
    blobKey: `${id}/output-2.mp3`,
    contentType: 'audio/mpeg',
    bytes: 5,
    durationSeconds: 1,
    timings: { blobKey: `${id}/timings-2.json`, bytes: 5 },
  });

  test('that has completed stay if it names them, and those of another attempt go', async () => {
    const id = newId('speech');
    await insertSpeech({ _id: id, finishedAt: new Date(), result: resultOf(id) });
    await expectMended('leftover_files', id);
    expect(await filesOf(id)).toEqual([`${id}/output-2.mp3`, `${id}/timings-2.json`]);
  });

  test.each(['failed', 'cancelled', 'expired'] as const)('that is %s go', async (status) => {
    const id = await insertSpeech({ status, finishedAt: new Date() });
    await expectMended('leftover_files', id);
    expect(await filesOf(id)).toEqual([]);
  });

  test.each(['queued', 'in_progress'] as const)('that is %s stay', async (status) => {
    const id = await insertSpeech({ status });
    expect(await sweepTwice(true)).toEqual([{}, {}]);
    expect(await filesOf(id)).toHaveLength(5);
  });

  test('that only kept it going are not missed, but its timings are', async () => {
    const id = newId('speech');
    await insertSpeech({ _id: id, finishedAt: new Date(), result: resultOf(id) });
    await sweepTwice();
    expect(await findings()).toEqual([]);
    await at.blobs.delete(`${id}/timings-2.json`);
    await expectMended('missing_blob', id, true);
  });
});

describe('an erasure', () => {
  test('whose things are there again is told of, and they are removed when somebody asks for it', async () => {
    const id = await at.insertJob();
    const [record] = [await at.db.jobs.find(id)];
    const job = await requestErasure(at, at.account, { scope: { type: 'job', id } });
    await createEraser(at)({ job, signal });
    await at.db.jobs.insert(record as JobRecord);
    expect(await sweepTwice()).toEqual([{}, {}]);
    await expectMended('erased_record_present', id, true);
    expect(await at.db.jobs.find(id)).toBeUndefined();
  });

  test('says nothing of what was brought back by an import', async () => {
    const id = await at.insertJob();
    const record = (await at.db.jobs.find(id)) as AnyJobRecord;
    const job = await requestErasure(at, at.account, { scope: { type: 'job', id } });
    await createEraser(at)({ job, signal });
    await at.db.transfer.insert('job', [record]);
    expect(await findings()).toEqual([]);
  });

  test('that has not ended for long is told of, with what is in its way', async () => {
    const job = await requestErasure(at, at.account, { scope: { type: 'job', id: 'cht_1' } });
    const late = { ...job, _id: newId('erasure'), createdAt: new Date(Date.now() - 2 * 60 * 60_000) };
    await at.db.jobs.insert(late);
    await at.db.erasures.note(late._id, 'chat', ['cht_1']);
    await at.db.erasures.postpone(late._id, { kind: 'chat', item: 'cht_1' }, 'its files could not be removed yet');
    const [found, ...others] = await Array.fromAsync(findInconsistencies(at, signal));
    expect([found, others]).toMatchObject([
      { kind: 'erasure_unfinished', id: late._id, detail: expect.stringContaining('cht_1: its files could not') },
      [],
    ]);
  });
});
