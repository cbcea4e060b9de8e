import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openBlobStore } from '@aigolos/blob-store';
import { newId } from '@aigolos/contracts';
import { type Database, newJobRecord, openDatabase } from '@aigolos/db';
import { testLog as log, useMongo } from '@aigolos/testing';
import { execa } from 'execa';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { checkData, repairData } from '../src/doctor/data.ts';
import { runErasure } from '../src/erase/run-erasure.ts';
import { recordingReporter, temporaryConfig, temporaryFolder } from '../src/stub.fake.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const mongo = useMongo();
let env: Record<string, string>;
let db: Database;
beforeEach(async () => {
  env = {
    AIGOLOS_HOME: await temporaryFolder(),
    MONGO_URL: mongo.newDatabaseUrl(),
    BLOB_DIR: await temporaryFolder(),
  };
  db = await openDatabase(env.MONGO_URL ?? '');
  onTestFinished(() => db.close());
  await db.prepare();
});

const aigolos = (args: string[], options: { input?: string } = {}) =>
  execa(process.execPath, [MAIN, ...args], { env, reject: false, ...options });

async function insertJob(account: string, fields = {}): Promise<string> {
  const task = { model: 'test', messages: [], stop: [] };
  const job = newJobRecord({ _id: newId('chat'), kind: 'chat', account, status: 'completed', task, ...fields });
  await db.jobs.insert(job);
  return job._id;
}

const blobStore = () => openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: env.BLOB_DIR, S3_REGION: 'us-east-1' });

async function storeBlob(key: string): Promise<void> {
  const blobs = blobStore();
  await blobs.commit(await blobs.receive(Readable.from(['audio']), { maxBytes: 9 }), key);
}

describe('aigolos erase', () => {
  it('removes what its dry run listed, once it was said twice, and gives a receipt that can be verified', async () => {
    const { _id: account } = await db.access.ensureAccount('ada');
    await db.access.createKey({ account, role: 'user', label: 'test' });
    const id = await insertJob(account);
    await storeBlob(`${id}/output-1.wav`);
    const other = await insertJob('acc_other');

    const planned = await aigolos(['erase', '--username', 'ada', '--dry-run']);
    const kinds = planned.stdout.split('\n').map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect(kinds.toSorted()).toEqual(['account', 'api_key', 'chat', 'file']);
    expect(await aigolos(['erase', '--username', 'ada'])).toMatchObject({
      exitCode: 1,
      stderr: 'Nobody can be asked here: add --yes to erase without asking.',
    });
    expect(await db.jobs.existing([id, other])).toEqual(new Set([id, other]));

    const erased = await aigolos(['erase', '--username', 'ada', '--yes']);
    expect(erased).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('removed 1 account, 1 api_key') });
    expect(await db.jobs.existing([id, other])).toEqual(new Set([other]));
    const receipt = join(env.AIGOLOS_HOME ?? '', 'receipt.jws');
    await writeFile(receipt, erased.stdout);
    const verified = await aigolos(['receipts', 'verify', receipt]);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      sub: account,
      scope: { type: 'account' },
      removed: { file: { ids: [`${id}/output-1.wav`] } },
    });
    const changed = await aigolos(['receipts', 'verify', '-'], { input: erased.stdout.replace('.ey', '.eZ') });
    expect(changed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('it was changed') });
  }, 60_000);

  it('is given back when interrupted, and gone on with when run again', async () => {
    const { _id: account } = await db.access.ensureAccount('ada');
    const leaseUntil = new Date(Date.now() + 60_000);
    const idle = await insertJob(account);
    const running = await insertJob(account, { status: 'in_progress', fence: 1, leaseUntil });
    const installation = { db, blobs: blobStore(), backupDir: undefined, redis: undefined, log };
    const stopping = new AbortController();
    const erase = (signal: AbortSignal) => runErasure(installation, account, { signal, tell: () => {} });
    const first = erase(stopping.signal);
    await expect.poll(() => db.jobs.existing([idle])).toEqual(new Set());
    stopping.abort();
    const { _id: erasure, status, attempt } = await first;
    expect([status, attempt]).toEqual(['queued', 0]);
    await db.jobs.finish(running, 1, { status: 'cancelled', finishedAt: new Date() });
    expect(await erase(new AbortController().signal)).toMatchObject({
      _id: erasure,
      status: 'completed',
      result: { removed: { chat: 2, account: 1 } },
    });
  });
});

describe('aigolos doctor', () => {
  it('tells what of the data does not fit together, and mends it when asked to', async () => {
    await db.access.ensureAccount('ada');
    await storeBlob('trn_1/input');
    await db.jobs.insert(
      newJobRecord({
        _id: 'spc_1',
        kind: 'speech',
        account: (await db.access.ensureAccount('ada'))._id,
        status: 'completed',
        task: { model: 'test', voice: 'ada', input: 'hello', format: 'wav', speed: 1 },
        result: { blobKey: 'spc_1/output-1.wav', contentType: 'audio/wav', bytes: 5, durationSeconds: 1 },
      }),
    );
    const config = await temporaryConfig(env);
    const options = { config, signal: new AbortController().signal, settleMs: 0, graceMs: 0 };
    // Of jobs it says what it can without the queues, of which nobody told it.
    const noRedis = { name: 'queues', state: 'warning', detail: 'no Redis is known', remedy: 'name it in REDIS_URL' };
    expect(await checkData(options)).toEqual([
      noRedis,
      {
        name: 'orphan_blobs',
        state: 'warning',
        detail: 'there are files of trn_1, but no such record',
        remedy: expect.stringContaining('--repair'),
      },
      {
        name: 'missing_blob',
        state: 'bad',
        detail: 'speech spc_1 is completed, but spc_1/output-1.wav is missing',
        remedy: expect.stringContaining('backup'),
      },
    ]);
    const reporter = recordingReporter();
    expect(await repairData(options, reporter)).toBe(2);
    expect(reporter.lines.filter((line) => line.startsWith('ok'))).toEqual([
      'ok mended: orphan_blobs: there are files of trn_1, but no such record',
      'ok mended: missing_blob: speech spc_1 is completed, but spc_1/output-1.wav is missing',
    ]);
    expect(await checkData(options)).toEqual([noRedis, { name: 'data', state: 'ok', detail: 'fits together' }]);
  });

  it('says nothing of data where there is no installation', async () => {
    const config = await temporaryConfig();
    expect(await checkData({ config, signal: new AbortController().signal })).toEqual([]);
  });
});
