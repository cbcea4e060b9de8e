import { newId } from '@aigolos/contracts';
import { newJobRecord } from '@aigolos/db';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  cleanUp,
  createConsistencySweep,
  createEraser,
  createReactions,
  expire,
  planErasure,
  verifyReceipt,
} from './index.ts';
import { openTestInstallation, type TestInstallation } from './installation.fake.ts';
import { receiptKeys } from './receipt.ts';

const redis = useRedis();
const mongo = useMongo();
const signal = new AbortController().signal;
const past = new Date(Date.now() - 1_000);
const future = new Date(Date.now() + 60 * 60_000);
let at: TestInstallation;
beforeAll(async () => {
  at = await openTestInstallation(redis, mongo);
});
afterAll(() => at.close());

const withBytes = async () => new Set(await Array.fromAsync(at.blobs.recordIds()));

test('a file whose time has come goes with its bytes, others stay', async () => {
  const due = await at.insertFile({ expiresAt: past });
  const kept = [await at.insertFile({ expiresAt: future }), await at.insertFile()];
  expect(await at.db.files.findOwned(at.account, due)).toBeUndefined();
  expect(await expire(at, new Date(), signal)).toMatchObject({ uploadedFiles: 1 });
  expect(await at.db.files.existing([due, ...kept])).toEqual(new Set(kept));
  expect((await withBytes()).intersection(new Set([due, ...kept]))).toEqual(new Set(kept));
});

test('a cleanup removes old files, each told once', async () => {
  const old = await at.insertFile({ createdAt: new Date(0) });
  const cleaned = cleanUp(at, { before: new Date(1), kinds: ['files'] }, signal);
  expect(await Array.fromAsync(cleaned)).toMatchObject([{ kind: 'uploaded_file', id: old, bytes: 5, files: 1 }]);
  expect(await withBytes()).not.toContain(old);
});

test('a file that is deleted by whatever means loses its bytes', async () => {
  const id = await at.insertFile();
  await at.db.files.delete(id);
  const reactions = createReactions({ ...at, cache: { invalidate: () => Promise.resolve() } });
  const reaction = reactions.find(({ name }) => name === 'files_deleted');
  await reaction?.react({ collection: 'files', operation: 'delete', id, fields: {}, at: undefined }, signal);
  expect(await withBytes()).not.toContain(id);
});

test('the sweep removes bytes without a record, and leaves those that have one', async () => {
  const [lost, kept] = [newId('file'), await at.insertFile()];
  await at.storeBlob(`${lost}/content`);
  const { sweep } = createConsistencySweep(at, { graceMs: 0 });
  for (let time = 0; time < 2; time += 1) await sweep(signal);
  const left = await withBytes();
  expect([left.has(lost), left.has(kept)]).toEqual([false, true]);
});

test('a file whose bytes are lost is told of, and goes when that is asked for alone', async () => {
  const id = await at.insertFile();
  await at.blobs.deleteRecord(id);
  for (const isAsked of [false, true]) {
    expect(await at.db.files.find(id)).toBeDefined();
    const { sweep } = createConsistencySweep(at, { graceMs: 0, isAsked });
    expect((await sweep(signal)).found).toMatchObject({ missing_blob: 1 });
    await sweep(signal);
  }
  expect(await at.db.files.find(id)).toBeUndefined();
});

test('the erasure of an account takes its files along, as its plan says, and the receipt lists them', async () => {
  const id = await at.insertFile();
  const upload = newId('upload');
  const what = {
    account: at.account,
    purpose: 'evals',
    filename: 'f',
    createdAt: new Date(),
    expiresAt: future,
  } as const;
  await at.db.uploads.insert({ _id: upload, ...what, bytes: 9, status: 'pending', parts: [], receivedBytes: 0 });
  await at.storeBlob(`${upload}/part_1`);
  const files = await at.db.files.idsOf(at.account, 100);
  const plan = await Array.fromAsync(planErasure(at, at.account, signal));
  expect(new Set(plan.filter(({ kind }) => kind === 'uploaded_file').map((part) => part.id))).toEqual(new Set(files));
  const job = newJobRecord({
    _id: newId('erasure'),
    kind: 'erasure',
    account: at.account,
    task: { scope: { type: 'account' } },
  });
  await at.db.jobs.insert(job);
  const { result } = await createEraser({ ...at, timing: { runningWaitMs: 100, keyWindowMs: 20 } })({ job, signal });
  expect(result.removed).toMatchObject({ uploaded_file: files.length, upload: 1, file: files.length + 1 });
  expect((await verifyReceipt(result.receipt, await receiptKeys(at.db))).removed['uploaded_file']?.ids).toContain(id);
  expect((await withBytes()).intersection(new Set([...files, upload]))).toEqual(new Set());
});
