import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErasureScope, newId, type SpeechTask } from '@aigolos/contracts';
import { type AnyJobRecord, type JobRecord, newJobRecord } from '@aigolos/db';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { announceJobEnds, backUp, createEraser, expire, planErasure, receiptKeys, verifyReceipt } from './index.ts';
import { openTestInstallation, type TestInstallation } from './installation.fake.ts';

const redis = useRedis();
const mongo = useMongo();
const signal = new AbortController().signal;
let at: TestInstallation;
beforeEach(async () => {
  at = await openTestInstallation(redis, mongo);
});
afterEach(() => at.close());

const SPEECH: SpeechTask = { model: 'test', voice: 'ada', input: 'hello', format: 'wav', speed: 1 };

async function request(scope: ErasureScope): Promise<JobRecord<'erasure'>> {
  const job = newJobRecord({ _id: newId('erasure'), kind: 'erasure', account: at.account, task: { scope } });
  await at.db.jobs.insert(job);
  return job;
}
const attempt = (job: JobRecord<'erasure'>) =>
  createEraser({ ...at, timing: { runningWaitMs: 100, keyWindowMs: 20 } })({ job, signal });
const erase = async (scope: ErasureScope) => attempt(await request(scope));
const read = async (receipt: string) => verifyReceipt(receipt, await receiptKeys(at.db));
const files = () => Array.fromAsync(at.blobs.recordIds());

let turns = 0;
/** A turn of a conversation, with its messages written. */
async function insertTurn(conversation: string, fields: Partial<AnyJobRecord> = {}): Promise<string> {
  turns += 1;
  const id = await at.insertJob({ conversation, turn: turns, ...(fields as Partial<JobRecord>) });
  const messages = [{ role: 'user' as const, content: 'hi' }];
  await at.db.conversations.appendTurn({ conversation, account: at.account, job: id, messages, at: new Date() });
  return id;
}

describe('an erased job', () => {
  test('is gone with its files, its live stream and its place on the queue, and the receipt lists it', async () => {
    const id = await at.insertJob({ _id: newId('speech'), kind: 'speech', task: SPEECH });
    const other = await at.insertJob();
    await at.storeBlob(`${id}/input`);
    await at.storeBlob(`${id}/output-1.wav`);
    await at.storeBlob(`${other}/input`);
    await at.producer.add({ id, kind: 'speech', account: 'acc_1' });
    await at.live.publish(id, { type: 'delta', fence: 1, text: 'hello' });
    const job = await request({ type: 'job', id });
    const { result } = await attempt(job);
    expect(await at.db.jobs.existing([id, other])).toEqual(new Set([other]));
    expect(await files()).toEqual([other]);
    expect(await at.producer.knows({ id, kind: 'speech' })).toBe(false);
    expect(await firstLiveEvent(id)).toBeUndefined();
    expect(result.removed).toEqual({ speech: 1, file: 2 });
    expect(await read(result.receipt)).toMatchObject({
      jti: job._id,
      sub: at.account,
      scope: { type: 'job', id },
      removed: { speech: { ids: [id] }, file: { count: 2, ids: [`${id}/input`, `${id}/output-1.wav`] } },
    });
  });

  test('of another account is not touched', async () => {
    const id = await at.insertJob({ account: 'acc_other' });
    expect((await erase({ type: 'job', id })).result.removed).toEqual({});
    expect(await at.db.jobs.existing([id])).toEqual(new Set([id]));
  });

  test('goes with its files again and again until a store answers that did not; meanwhile its record is gone and what is left is seen', async () => {
    const id = await at.insertJob();
    await at.storeBlob(`${id}/input`);
    const blobs = join(at.dir, 'blobs');
    await rename(blobs, `${blobs}-away`);
    await writeFile(blobs, 'not a folder');
    const job = await request({ type: 'job', id });
    for (let time = 1; time <= 2; time += 1) {
      await expect(attempt(job)).rejects.toMatchObject({ code: 'ERASURE_INCOMPLETE', retryable: true });
      expect(await at.db.erasures.postponed(job._id, 9)).toMatchObject([
        { kind: 'chat', item: id, reason: expect.stringContaining('its files') },
      ]);
      expect(await at.db.jobs.existing([id])).toEqual(new Set());
    }
    await rm(blobs);
    await rename(`${blobs}-away`, blobs);
    const { result } = await attempt(job);
    expect(result.removed).toEqual({ chat: 1, file: 1 });
    expect(await files()).toEqual([]);
    expect(await at.db.erasures.postponed(job._id, 9)).toEqual([]);
  });
});

test('an erased conversation is gone with its messages and its jobs, and no other is', async () => {
  const [{ _id: id }, { _id: kept }] = [
    await at.db.conversations.create(at.account),
    await at.db.conversations.create(at.account),
  ];
  const turns = [await insertTurn(id), await insertTurn(id, { status: 'queued' })];
  const other = await insertTurn(kept);
  await at.storeBlob(`${turns[0]}/output-1.wav`);
  const { result } = await erase({ type: 'conversation', id });
  expect(result.removed).toEqual({ conversation: 1, message: 2, chat: 2, file: 1 });
  expect(await at.db.conversations.lastMessages(id, 9)).toEqual([]);
  expect(await at.db.jobs.existing([...turns, other])).toEqual(new Set([other]));
  expect(await at.db.conversations.lastMessages(kept, 9)).toHaveLength(1);
});

test('of a conversation the record goes last, and nobody else removes it: what follows from its end finds nothing that no receipt lists', async () => {
  const { _id: id } = await at.db.conversations.create(at.account);
  const leaseUntil = new Date(Date.now() + 60_000);
  const running = await insertTurn(id, { status: 'in_progress', fence: 1, leaseUntil });
  await insertTurn(id);
  const job = await request({ type: 'conversation', id });
  await expect(attempt(job)).rejects.toMatchObject({ code: 'ERASURE_INCOMPLETE' });
  expect([await at.db.conversations.findOwned(at.account, id), await at.db.conversations.exists(id)]).toEqual([
    undefined,
    true,
  ]);
  await at.db.jobs.finish(running, 1, { status: 'cancelled', finishedAt: new Date() });
  expect((await expire(at, new Date(), signal)).conversations).toBe(0);
  const left: unknown[] = [];
  const { conversations, jobs } = at.db;
  const watched = {
    ...conversations,
    async delete(conversation: string) {
      left.push(await conversations.messageIds(conversation, 9), await jobs.idleOf({ conversation }, 9));
      return conversations.delete(conversation);
    },
  };
  const { result } = await createEraser({ ...at, db: { ...at.db, conversations: watched } })({ job, signal });
  expect([left, result.removed]).toEqual([[[], []], { conversation: 1, message: 2, chat: 2 }]);
});

describe('an erased account', () => {
  test('is gone with everything it had, as planned; the records of its erasures stay', async () => {
    await at.db.access.createKey({ account: at.account, role: 'user', label: 'test' });
    const { _id: conversation } = await at.db.conversations.create(at.account);
    await at.insertEndpoint();
    const jobs = [
      await insertTurn(conversation),
      await at.insertJob({ finishedAt: new Date() }),
      await at.insertJob({ status: 'queued' }),
    ];
    await announceJobEnds(at, [jobs[1] ?? '']);
    for (const id of jobs) await at.storeBlob(`${id}/input`);
    const stranger = await at.insertJob({ account: 'acc_other' });
    const earlier = await request({ type: 'job', id: 'cht_1' });
    const plan = await Array.fromAsync(planErasure(at, at.account, signal));
    const { result } = await erase({ type: 'account' });
    const webhooks = { webhook_delivery: 1, webhook_endpoint: 1 };
    const counts = { account: 1, api_key: 1, chat: 3, conversation: 1, file: 3, message: 1, ...webhooks };
    expect(result.removed).toEqual(counts);
    const { removed } = await read(result.receipt);
    const listed = Object.entries(removed).flatMap(([kind, { ids }]) => ids.map((id) => `${kind} ${id}`));
    expect(plan.map(({ kind, id }) => `${kind} ${id}`).toSorted()).toEqual(listed.toSorted());
    expect(await at.db.webhooks.listDeliveries({ account: at.account, limit: 9 })).toEqual([]);
    expect(await at.db.access.keyIds(at.account)).toEqual([]);
    expect(await at.db.access.findAccount('ada')).toBeUndefined();
    expect(await at.db.jobs.existing([...jobs, stranger, earlier._id])).toEqual(new Set([stranger, earlier._id]));
    expect(await files()).toEqual([]);
  });

  test('goes from every backup, and stays out of one that is being made', async () => {
    const backupDir = join(at.dir, 'backups');
    const erasing = createEraser({ ...at, backupDir, timing: { runningWaitMs: 0, keyWindowMs: 0 } });
    const { _id: other } = await at.db.access.ensureAccount('bob');
    await at.insertJob();
    const options = { directory: backupDir, workDir: at.blobs.spoolDir, signal };
    await backUp(at, { ...options, slot: new Date('2026-01-01T02:30:00Z') });
    await mkdir(join(backupDir, '20260102T023000Z.unfinished'));
    await writeFile(join(backupDir, '20260102T023000Z.unfinished', 'ada.tar.zst.unfinished'), 'half of it');
    const job = await request({ type: 'account' });
    const locked = join(backupDir, '20260103T023000Z');
    await mkdir(join(locked, 'ada.tar.zst', 'what cannot be deleted like a file'), { recursive: true });
    await expect(erasing({ job, signal })).rejects.toMatchObject({ code: 'ERASURE_INCOMPLETE' });
    expect(await at.db.erasures.postponed(job._id, 9)).toMatchObject([{ kind: 'backup', item: '20260103T023000Z' }]);
    await rm(locked, { recursive: true });
    await backUp(at, { ...options, slot: new Date('2026-01-04T02:30:00Z') });
    const { result } = await erasing({ job, signal });
    expect((await read(result.receipt)).removed.backup?.ids).toEqual([
      '20260101T023000Z',
      '20260102T023000Z.unfinished',
      '20260103T023000Z',
    ]);
    const files = (await readdir(backupDir, { recursive: true })).filter((name) => name.includes('.zst'));
    expect(files.toSorted()).toEqual(['20260101T023000Z/bob.tar.zst', '20260104T023000Z/bob.tar.zst']);
    expect(await at.db.access.accountById(other)).not.toHaveProperty('erasingAt');
  });

  test('takes with it what came by a key that was just withdrawn', async () => {
    const job = await request({ type: 'account' });
    const erasing = createEraser({ ...at, timing: { runningWaitMs: 100, keyWindowMs: 1_000 } })({ job, signal });
    await expect.poll(() => at.db.access.keyIds(at.account)).toEqual([]);
    const late = await at.insertJob();
    expect((await erasing).result.removed).toEqual({ account: 1, chat: 1 });
    expect(await at.db.jobs.existing([late])).toEqual(new Set());
  });

  test('waits for a job that runs, which is asked to stop, and goes after it', async () => {
    const until = new Date(Date.now() + 60_000);
    const id = await at.insertJob({ status: 'in_progress', fence: 1, leaseUntil: until });
    const job = await request({ type: 'account' });
    await expect(attempt(job)).rejects.toMatchObject({ code: 'ERASURE_INCOMPLETE' });
    expect(await at.db.erasures.postponed(job._id, 9)).toMatchObject([
      { kind: 'chat', item: id, reason: expect.stringContaining('asked to stop') },
    ]);
    expect(await at.db.access.findAccount('ada')).toBeDefined();
    expect(await at.db.jobs.renew(id, 1, { leaseMs: 1, progress: 0 })).toBe('cancel_requested');
    await at.db.jobs.finish(id, 1, { status: 'cancelled', finishedAt: new Date() });
    expect((await attempt(job)).result.removed).toEqual({ account: 1, chat: 1 });
  });

  test('does not wait for a job whose worker is gone', async () => {
    const past = new Date(Date.now() - 1_000);
    const id = await at.insertJob({ status: 'in_progress', fence: 1, leaseUntil: past });
    expect((await erase({ type: 'account' })).result.removed).toEqual({ account: 1, chat: 1 });
    expect(await at.db.jobs.existing([id])).toEqual(new Set());
  });

  test('gives the same list whichever process goes on with it, wherever the first one stopped', async () => {
    let isWhole = false;
    let steps = 0;
    for (; !isWhole; steps += 1) {
      at.account = (await at.db.access.ensureAccount('ada'))._id;
      const { _id: conversation } = await at.db.conversations.create(at.account);
      for (let count = 0; count < 2; count += 1) await at.storeBlob(`${await insertTurn(conversation)}/input`);
      const job = await request({ type: 'account' });
      const timing = { runningWaitMs: 0, keyWindowMs: 0 };
      const cut = await createEraser({ ...at, ...stopAfter(steps), timing })({ job, signal }).catch(() => undefined);
      const { result } = cut ?? (await attempt(job));
      expect(result.removed).toEqual({ account: 1, chat: 2, conversation: 1, file: 2, message: 2 });
      expect(await files()).toEqual([]);
      expect(await at.db.conversations.lastMessages(conversation, 9)).toEqual([]);
      isWhole = cut !== undefined;
    }
    expect(steps).toBeGreaterThan(5);
  });
});

/** Stores that fail from the last of so many removals on, which still takes effect, as if the process had died then. */
function stopAfter(steps: number) {
  let left = steps;
  const cut = <Args extends unknown[], Result>(act: (...args: Args) => Promise<Result>) => {
    return async (...args: Args) => {
      left -= 1;
      const result = left >= 0 ? await act(...args) : undefined;
      if (left <= 0) throw new Error('the process died');
      return result as Result;
    };
  };
  const { jobs, conversations, access } = at.db;
  return {
    blobs: { list: at.blobs.list, deleteRecord: cut(at.blobs.deleteRecord) },
    db: {
      ...at.db,
      jobs: { ...jobs, deleteIdle: cut(jobs.deleteIdle) },
      conversations: {
        ...conversations,
        delete: cut(conversations.delete),
        deleteMessages: cut(conversations.deleteMessages),
      },
      access: { ...access, deleteAccount: cut(access.deleteAccount) },
    },
  };
}

async function firstLiveEvent(id: string) {
  const { value } = await at.live.watch(id, { idleMs: 10, signal }).next();
  return value;
}
