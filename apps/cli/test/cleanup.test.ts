import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type BlobStore, openBlobStore } from '@aigolos/blob-store';
import type { TranscriptionTask } from '@aigolos/contracts';
import { type Database, newJobRecord, openDatabase } from '@aigolos/db';
import { useMongo } from '@aigolos/testing';
import { execa } from 'execa';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../src/stub.fake.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const mongo = useMongo();
let env: Record<string, string>;
let db: Database;
let blobs: BlobStore;
beforeEach(async () => {
  const BLOB_DIR = await temporaryFolder();
  env = { AIGOLOS_HOME: await temporaryFolder(), MONGO_URL: mongo.newDatabaseUrl(), BLOB_DIR };
  db = await openDatabase(env.MONGO_URL ?? '');
  onTestFinished(() => db.close());
  await db.prepare();
  blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR, S3_REGION: 'us-east-1' });
});

const aigolos = (...args: string[]) => execa(process.execPath, [MAIN, ...args], { env, reject: false });

/** Transcriptions with their audio that ended so many days ago. */
async function transcriptions(account: string, count: number, daysAgo: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `trn_${account}-${daysAgo}-${index}`);
  const finishedAt = new Date(Date.now() - daysAgo * 24 * 60 * 60_000);
  const times = { createdAt: finishedAt, finishedAt };
  const records = ids.map((_id) => {
    const task: TranscriptionTask = {
      model: 'test',
      responseFormat: 'json',
      wordTimestamps: false,
      audio: { blobKey: `${_id}/input`, bytes: 5, sha256: '00' },
    };
    return newJobRecord({ _id, kind: 'transcription', account, status: 'completed', task, ...times });
  });
  await db.transfer.insert('job', records);
  for (const id of ids) {
    await blobs.commit(await blobs.receive(Readable.from(['audio']), { maxBytes: 9 }), `${id}/input`);
  }
  return ids.toSorted();
}

const linesOf = (stdout: string) => stdout.split('\n').map((line) => JSON.parse(line) as { id: string });
const idsOf = (stdout: string) =>
  linesOf(stdout)
    .map(({ id }) => id)
    .toSorted();
const filesLeft = async () => (await Array.fromAsync(blobs.recordIds())).toSorted();

describe('aigolos cleanup', () => {
  it('removes what its dry run listed, of the account that was named', async () => {
    const { _id: ada } = await db.access.ensureAccount('ada');
    const old = await transcriptions(ada, 3, 31);
    const kept = [...(await transcriptions(ada, 2, 29)), ...(await transcriptions('acc_other', 2, 31))];
    const args = ['cleanup', '--days', '30', '--username', 'ada', '--json'];
    const dry = await aigolos(...args, '--dry-run');
    expect(await filesLeft()).toEqual([...old, ...kept].toSorted());
    const real = await aigolos(...args);
    expect(real.exitCode).toBe(0);
    const [listed, removed] = [dry, real].map(({ stdout }) => stdout.split('\n'));
    expect(removed?.slice(0, -1).toSorted()).toEqual(listed?.slice(0, -1).toSorted());
    expect(listed).toHaveLength(4);
    const summary = { items: 3, files: 3, bytes: 15, byKind: { transcription: 3 }, left: 0 };
    expect(JSON.parse(listed?.at(-1) ?? '')).toMatchObject({ summary: { ...summary, dryRun: true } });
    expect(JSON.parse(removed?.at(-1) ?? '')).toMatchObject({ summary: { ...summary, dryRun: false } });
    expect(await filesLeft()).toEqual(kept.toSorted());
    expect(await db.jobs.existing([...old, ...kept])).toEqual(new Set(kept));
  });

  it('when interrupted tells what it removed and what is left, and removes that when run again', async () => {
    const ids = await transcriptions('acc_1', 120, 100);
    const running = aigolos('cleanup');
    running.stdout.once('data', () => running.kill('SIGINT'));
    const first = await running;
    expect(first.exitCode).toBe(130);
    const removed = idsOf(first.stdout);
    expect(first.stderr).toContain(`removed ${removed.length} transcription`);
    expect(first.stderr).toContain(`${ids.length - removed.length} left`);
    expect(removed.length).toBeLessThan(ids.length);
    expect(await filesLeft()).toEqual(ids.filter((id) => !removed.includes(id)));

    const second = await aigolos('cleanup');
    expect([...removed, ...idsOf(second.stdout)].toSorted()).toEqual(ids);
    expect(await filesLeft()).toEqual([]);
  });

  it('removes nothing where the account is not known', async () => {
    await transcriptions('acc_1', 1, 100);
    const refused = await aigolos('cleanup', '--username', 'bob');
    expect(refused).toMatchObject({ exitCode: 1, stderr: 'There is no account named "bob".' });
    expect(await filesLeft()).toHaveLength(1);
  });
});

it('aigolos accounts retention sets some lifetimes, leaves the others, and takes one back', async () => {
  const { _id } = await db.access.ensureAccount('ada');
  const set = (...args: string[]) => aigolos('accounts', 'retention', '--username', 'ada', ...args);
  await db.access.setRetention(_id, { input: 0, conversation: null });
  const { stdout } = await set('--result', '30d', '--input', 'default');
  expect(stdout).toMatch(/^input +as the installation says\nresult +2592000 s\noutput .*\nconversation +never$/);
  expect((await db.access.accountById(_id))?.retention).toEqual({ result: 2_592_000, conversation: null });
});
