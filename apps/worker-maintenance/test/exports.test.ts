import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DEFAULT_RETENTION, newId } from '@aigolos/contracts';
import { newJobRecord } from '@aigolos/db';
import { createJobs, type Jobs } from '@aigolos/jobs';
import { openArchives } from '@aigolos/lifecycle';
import { type App, createCloser, createMetrics, loadConfig } from '@aigolos/runtime';
import { testLog as log, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import { type Config, ConfigSchema } from '../src/config.ts';
import { openStores, type Stores } from '../src/stores.ts';

const redis = useRedis();
const mongo = useMongo();
const closer = createCloser();
let dir: string;
let config: Config;
let stores: Stores;
let jobs: Jobs;
let app: App;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aigolos-exports-'));
  closer.add(() => rm(dir, { recursive: true, force: true }));
  config = loadConfig(ConfigSchema, {
    MONGO_URL: mongo.newDatabaseUrl(),
    REDIS_URL: redis.url,
    QUEUE_PREFIX: `test-${randomUUID()}`,
    BLOB_DIR: dir,
    BACKUP_DIR: join(dir, 'backups'),
    BACKUP_CRON: '* * * * * *',
    BACKUP_KEEP: '2',
    CLEANUP_CRON: 'off',
  });
  stores = await openStores(config, { closer, metrics: createMetrics('test'), log });
  jobs = createJobs({
    ...stores,
    retention: { defaults: DEFAULT_RETENTION, maxSeconds: DEFAULT_RETENTION.result ?? 0 },
  });
  app = await startApp();
});
afterAll(() => closer.closeAll());

async function startApp(): Promise<App> {
  const started = createApp(config, log);
  closer.add(() => started.stop());
  await started.start();
  return started;
}

/** An account with one synthesis, whose sound is this. */
async function addAccount(username: string, sound: string) {
  const { _id: account } = await stores.db.access.ensureAccount(username);
  const _id = newId('speech');
  const blobKey = `${_id}/output-1.mp3`;
  const file = await stores.blobs.receive(Readable.from([Buffer.from(sound)]), { maxBytes: 1_000 });
  await stores.blobs.commit(file, blobKey);
  const task = { model: 'test', voice: 'joe', input: 'hi', format: 'mp3' as const, speed: 1 };
  const result = { blobKey, contentType: 'audio/mpeg', bytes: sound.length, durationSeconds: 1 };
  const ended = { status: 'completed' as const, finishedAt: new Date() };
  await stores.db.jobs.insert(newJobRecord({ _id, kind: 'speech', account, task, result, ...ended }));
  return { account, speech: _id, place: join(dir, 'blobs', blobKey) };
}

const submit = async (account: string) => (await jobs.submit({ kind: 'export', account, task: {} })).job;
const left = async (id: string) => [
  await Array.fromAsync(stores.blobs.list(id)),
  (await readdir(join(dir, 'spool'))).filter((name) => name.includes(id)),
];

describe('an export', () => {
  test('is a job whose result is an archive of everything that its account has', async () => {
    const { account, speech } = await addAccount('ann', 'sound of ann');
    await addAccount('bob', 'sound of bob');
    const { _id } = await submit(account);
    const job = await jobs.waitForEnd(account, _id, { timeoutMs: 20_000 });
    expect(job).toMatchObject({ status: 'completed', progress: 1, warnings: [] });
    if (job.kind !== 'export' || !job.result) throw new Error('it has no result');
    expect(job.result).toMatchObject({ contentType: 'application/zstd', files: 1, documents: 2 });
    const path = join(dir, 'downloaded.tar.zst');
    await pipeline(await stores.blobs.read(job.result.blobKey), createWriteStream(path));
    const bytes = await readFile(path);
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([
      job.result.bytes,
      job.result.sha256,
    ]);
    const [archive] = await openArchives(path);
    expect(archive?.manifest.account).toEqual({ id: account, username: 'ann' });
    expect(archive?.manifest.files.at(-1)?.path).toBe(`files/${speech}/output-1.mp3`);
  });

  test('that is cancelled while it runs leaves no file; one whose worker stops goes on with the next', async () => {
    const { account, place } = await addAccount('large', '');
    // It would take long to read.
    await truncate(place, 50 * 1024 ** 3);
    const { _id: cancelled } = await submit(account);
    const isRunning = (id: string) => async () => (await stores.db.jobs.find(id))?.status === 'in_progress';
    await waitUntil('it runs', isRunning(cancelled));
    await jobs.cancel(account, cancelled);
    expect(await jobs.waitForEnd(account, cancelled, { timeoutMs: 20_000 })).toMatchObject({ status: 'cancelled' });
    expect(await left(cancelled)).toEqual([[], []]);

    const { _id: drained } = await submit(account);
    await waitUntil('it runs', isRunning(drained));
    await app.stop();
    expect(await stores.db.jobs.find(drained)).toMatchObject({ status: 'queued', attempt: 0 });
    expect(await left(drained)).toEqual([[], []]);
    await truncate(place, 0);
    app = await startApp();
    expect(await jobs.waitForEnd(account, drained, { timeoutMs: 20_000 })).toMatchObject({ status: 'completed' });
  }, 60_000);
});

test('everything is backed up by the clock, whole or not at all, and old backups go', async () => {
  const backups = () => readdir(join(dir, 'backups')).catch(() => []);
  const old = join(dir, 'backups', '20200101T000000Z');
  await mkdir(old, { recursive: true });
  await writeFile(join(old, 'ann.tar.zst'), '');
  await waitUntil(
    'backups have been made and pruned',
    async () => {
      const names = (await backups()).filter((name) => !name.endsWith('.unfinished'));
      return names.length === 2 && !names.includes('20200101T000000Z');
    },
    30_000,
  );
  await app.stop();
  const [newest = ''] = (await backups())
    .filter((name) => !name.endsWith('.unfinished'))
    .toSorted()
    .toReversed();
  const archives = await openArchives(join(dir, 'backups', newest));
  expect(archives.map(({ manifest }) => manifest.account.username).toSorted()).toEqual(['ann', 'bob', 'large']);
});
