import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type BlobStore, openBlobStore } from '@aigolos/blob-store';
import { type ChatTask, newId } from '@aigolos/contracts';
import { type Database, type JobRecord, newJobRecord, openDatabase } from '@aigolos/db';
import { useMongo } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createOrphanSweep } from './index.ts';

const mongo = useMongo();
const signal = new AbortController().signal;
let dir: string;
let blobs: BlobStore;
let db: Database;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aigolos-lifecycle-'));
  blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: dir, S3_REGION: 'us-east-1' });
  db = await openDatabase(mongo.newDatabaseUrl());
  await db.prepare();
});
afterEach(async () => {
  await db.close();
  await rm(dir, { recursive: true, force: true });
});

async function insertJob(fields: Partial<JobRecord<'chat'>>): Promise<string> {
  const task: ChatTask = { model: 'test', messages: [{ role: 'user', content: 'hi' }], stop: [] };
  const job = newJobRecord({
    _id: newId('chat'),
    kind: 'chat',
    account: 'acc_1',
    status: 'completed',
    task,
    ...fields,
  });
  await db.jobs.insert(job);
  return job._id;
}

async function storeBlob(recordId: string): Promise<void> {
  const file = await blobs.receive(Readable.from([Buffer.from('audio')]), { maxBytes: 100 });
  await blobs.commit(file, `${recordId}/input`);
}

describe('the search for orphans', () => {
  test('deletes files whose record is missing for longer than the grace, and no others', async () => {
    const owned = await insertJob({});
    await storeBlob(owned);
    await storeBlob('trn_orphan');
    const sweep = createOrphanSweep({ db, blobs, graceMs: 0 });
    expect(await sweep.sweep(signal)).toBe(0);
    expect(await blobs.exists('trn_orphan/input')).toBe(true);
    expect(await sweep.sweep(signal)).toBe(1);
    expect(await blobs.exists('trn_orphan/input')).toBe(false);
    expect(await blobs.exists(`${owned}/input`)).toBe(true);
  });

  test('leaves a file alone whose record is only on its way', async () => {
    const patient = createOrphanSweep({ db, blobs });
    await storeBlob('trn_young');
    for (let sweep = 0; sweep < 3; sweep += 1) expect(await patient.sweep(signal)).toBe(0);
    expect(await blobs.exists('trn_young/input')).toBe(true);
  });
});
