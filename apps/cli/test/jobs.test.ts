import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openBlobStore } from '@aigolos/blob-store';
import { newId } from '@aigolos/contracts';
import { type Database, type JobRecord, newJobRecord, openDatabase } from '@aigolos/db';
import { createCancelReceiver, createLiveStreams, createProducer, type Producer } from '@aigolos/queue';
import { testLog as log, useMongo, useRedis } from '@aigolos/testing';
import { execa } from 'execa';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { inspectJob } from '../src/jobs/view-job.ts';
import { temporaryFolder } from '../src/stub.fake.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const SAID = 'what nobody but its owner may read';
const mongo = useMongo();
const redis = useRedis();
let env: { AIGOLOS_HOME: string; MONGO_URL: string; BLOB_DIR: string; REDIS_URL: string; QUEUE_PREFIX: string };
let db: Database;
let producer: Producer;
let account: string;
beforeEach(async () => {
  env = {
    AIGOLOS_HOME: await temporaryFolder(),
    MONGO_URL: mongo.newDatabaseUrl(),
    BLOB_DIR: await temporaryFolder(),
    REDIS_URL: redis.url,
    QUEUE_PREFIX: `test-${randomUUID()}`,
  };
  db = await openDatabase(env.MONGO_URL);
  onTestFinished(() => db.close());
  await db.prepare();
  producer = await createProducer(env, log);
  onTestFinished(() => producer.close());
  ({ _id: account } = await db.access.ensureAccount('ada'));
});

const aigolos = (args: string[], given: Record<string, string | undefined> = {}) =>
  execa(process.execPath, [MAIN, 'jobs', ...args], { env: { ...env, ...given }, reject: false });
const blobStore = () => openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: env.BLOB_DIR, S3_REGION: 'us-east-1' });
const parsed = (stdout: string) => stdout.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

async function insertJob(fields: Partial<JobRecord<'chat'>> = {}): Promise<string> {
  const task = { model: 'test', messages: [{ role: 'user' as const, content: SAID }], stop: [] };
  const job = newJobRecord({ _id: newId('chat'), kind: 'chat', account, task, ...fields });
  await db.jobs.insert(job);
  return job._id;
}

describe('aigolos jobs list', () => {
  it('tells what there is, newest first, filtered as asked, and nothing of what was said', async () => {
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    const old = await insertJob({
      createdAt: hoursAgo(30),
      status: 'failed',
      failure: { code: 'INTERNAL', message: 'no' },
    });
    const other = await insertJob({ createdAt: hoursAgo(2), account: 'acc_other' });
    const young = await insertJob({ createdAt: hoursAgo(1) });
    const [all, few, ofAda, none] = await Promise.all([
      aigolos(['list', '--json']),
      aigolos(['list', '--limit', '1']),
      aigolos(['list', '--json', '--account', 'ada', '--kind', 'chat', '--status', 'failed', '--older-than', '1d']),
      aigolos(['list', '--account', 'nobody']),
    ]);
    expect(parsed(all.stdout).map(({ id }) => id)).toEqual([young, other, old]);
    expect(parsed(all.stdout)[2]).toMatchObject({ status: 'failed', model: 'test', error: { code: 'INTERNAL' } });
    expect(all.stdout).not.toContain(SAID);
    expect(few.stdout).toContain(young);
    expect(few.stderr).toContain('more than these 1');
    expect(parsed(ofAda.stdout).map(({ id }) => id)).toEqual([old]);
    expect(none).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no account named "nobody"') });
  });
});

describe('aigolos jobs show', () => {
  it('tells of attempts, lease, checkpoint, queue, files and webhooks, and nothing of what was said', async () => {
    const begun = new Date(Date.now() - 60_000);
    const gone = { fence: 1, worker: 'chat-a', startedAt: begun, endedAt: new Date(), outcome: 'vanished' as const };
    const id = await insertJob({
      status: 'in_progress',
      fence: 2,
      attempt: 2,
      crashes: 1,
      worker: 'chat-b',
      leaseUntil: new Date(Date.now() + 60_000),
      finishBy: new Date(Date.now() + 3_600_000),
      attempts: [gone, { fence: 2, worker: 'chat-b', startedAt: new Date() }],
      checkpoint: { version: 1, doneSeconds: 12.5, text: SAID, segments: [{ text: SAID }, { text: SAID }] },
    });
    const blobs = blobStore();
    await blobs.commit(await blobs.receive(Readable.from(['audio']), { maxBytes: 9 }), `${id}/input`);
    const first = await insertJob();
    for (const waiting of [first, id]) await producer.add({ id: waiting, kind: 'chat', account });
    const [json, text] = await Promise.all([aigolos(['show', id, '--json']), aigolos(['show', id])]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      id,
      username: 'ada',
      attempts: [
        { fence: 1, outcome: 'vanished' },
        { fence: 2, endedAt: null, outcome: null },
      ],
      lease: { worker: 'chat-b' },
      queue: { state: 'waiting', queue: 'llm', position: 1 },
      checkpoint: { version: 1, doneSeconds: 12.5, segments: 2 },
      files: [{ key: `${id}/input`, bytes: 5 }],
      webhooks: [],
    });
    expect(text.stdout).toContain('waits in llm, 1 before it');
    expect(text.stdout).toMatch(/fence 1: .*vanished, chat-a/);
    expect(json.stdout + text.stdout).not.toContain(SAID);
  });

  it('says what is not there: the job, the Redis, the database', async () => {
    const id = await insertJob();
    const [unknown, noRedis, noDatabase] = await Promise.all([
      aigolos(['show', 'cht_gone']),
      aigolos(['show', id], { REDIS_URL: undefined }),
      aigolos(['list'], { MONGO_URL: 'mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=100' }),
    ]);
    expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('aigolos jobs list') });
    expect(noRedis).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('no Redis is known') });
    expect(noDatabase).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('127.0.0.1:1 does not answer') });

    const live = await createLiveStreams(env, log);
    onTestFinished(() => live.close());
    const away = await createProducer(env, log);
    await away.close();
    const opened = { config: env, producer: away, live };
    const installation = { db, blobs: blobStore(), backupDir: undefined, redis: opened, log };
    expect(await inspectJob(installation, id)).toMatchObject({ status: 'queued', queue: { state: 'redis_away' } });
  });
});

describe('aigolos jobs cancel and retry', () => {
  it('cancel what waits, tell the worker of what runs, leave what has ended, and say of each what became of it', async () => {
    const told: string[] = [];
    const receiver = createCancelReceiver(env, log, (id) => told.push(id));
    onTestFinished(() => receiver.close());
    const waiting = await insertJob();
    await producer.add({ id: waiting, kind: 'chat', account });
    const running = await insertJob({ status: 'in_progress', fence: 1, leaseUntil: new Date(Date.now() + 60_000) });
    const ended = await insertJob({ status: 'completed' });
    const { exitCode, stdout } = await aigolos(['cancel', waiting, running, ended, 'cht_gone', '--json']);
    expect(exitCode).toBe(1);
    expect(parsed(stdout)).toMatchObject([
      { id: waiting, status: 'cancelled' },
      { id: running, status: 'in_progress' },
      { id: ended, status: 'completed' },
      { id: 'cht_gone', error: expect.stringContaining('There is no job') },
    ]);
    expect(await producer.knows({ id: waiting, kind: 'chat' })).toBe(false);
    expect(told).toContain(running);
    expect(told).not.toContain(waiting);
    expect((await db.jobs.find(running))?.cancelRequestedAt).toBeInstanceOf(Date);
  });

  it('send back what failed, with its attempts from zero, and refuse what did not', async () => {
    const failed = await insertJob({ status: 'failed', attempt: 3, fence: 3, finishedAt: new Date() });
    const completed = await insertJob({ status: 'completed', finishedAt: new Date() });
    const { exitCode, stdout } = await aigolos(['retry', failed, completed]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(new RegExp(`${failed} +is back in its queue`));
    expect(stdout).toContain('it is completed; only one that failed');
    expect(await db.jobs.find(failed)).toMatchObject({ status: 'queued', attempt: 0 });
    expect(await producer.knows({ id: failed, kind: 'chat' })).toBe(true);
  });
});
