import { randomUUID } from 'node:crypto';
import { newId } from '@aigolos/contracts';
import { type Database, type JobRecord, newJobRecord, openDatabase } from '@aigolos/db';
import { createProducer, createQueueWorker, type Producer } from '@aigolos/queue';
import { testLog as log, openDatabaseShell, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { CliConfig } from '../config.ts';
import { recordingReporter, temporaryConfig, temporaryFolder } from '../stub.fake.ts';
import { checkData, repairData } from './data.ts';
import type { Finding } from './finding.ts';

const { signal } = new AbortController();
const mongo = useMongo();
const redis = useRedis();
let config: CliConfig;
let queueConfig: { REDIS_URL: string; QUEUE_PREFIX: string };
let db: Database;
let producer: Producer;
let account: string;
beforeEach(async () => {
  queueConfig = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` };
  const MONGO_URL = mongo.newDatabaseUrl();
  config = await temporaryConfig({ MONGO_URL, BLOB_DIR: await temporaryFolder(), ...queueConfig });
  db = await openDatabase(MONGO_URL);
  onTestFinished(() => db.close());
  await db.prepare();
  producer = await createProducer(queueConfig, log);
  onTestFinished(() => producer.close());
  ({ _id: account } = await db.access.ensureAccount('ada'));
});

const long = (ms = 10 * 60_000) => new Date(Date.now() - ms);
const doctor = () => checkData({ config, signal, settleMs: 0 });
const named = (findings: Finding[], name: string) => findings.find((finding) => finding.name === name);

async function insertJob(fields: Partial<JobRecord<'chat'>>): Promise<string> {
  const task = { model: 'test', messages: [{ role: 'user' as const, content: 'hi' }], stop: [] };
  const job = newJobRecord({
    _id: newId('chat'),
    kind: 'chat',
    account,
    task,
    createdAt: long(),
    queuedAt: long(),
    ...fields,
  });
  await db.jobs.insert(job);
  return job._id;
}

const turnOf = async () => ({ conversation: (await db.conversations.create(account))._id, turn: 0 });
const lostWorker = () => ({ status: 'in_progress' as const, fence: 1, attempt: 1, leaseUntil: long(), worker: 'gone' });
const answered = { result: { text: 'hello', finishReason: 'stop' as const }, finishedAt: long() };

const FAULTS = [
  { name: 'job_not_in_queue', repair: 'requeued', plant: async () => insertJob({}) },
  { name: 'lease_run_out', repair: 'lease_expired', plant: async () => insertJob(lostWorker()) },
  {
    name: 'lease_run_out',
    repair: 'lease_expired',
    plant: async () => insertJob({ status: 'in_progress', fence: 1, attempt: 1 }),
  },
  {
    name: 'deadline_missed',
    repair: 'expired',
    plant: async () => {
      const id = await insertJob({ deadlineAt: long(), startBy: long() });
      await producer.add({ id, kind: 'chat', account });
      return id;
    },
  },
  {
    name: 'messages_not_written',
    repair: 'messages_written',
    plant: async () => insertJob({ status: 'completed', ...(await turnOf()), ...answered, messagesPending: true }),
  },
  {
    name: 'idempotency_key_past',
    repair: 'idempotency_key_freed',
    plant: async () =>
      insertJob({
        status: 'completed',
        idempotencyKey: 'k',
        requestFingerprint: 'f',
        idempotencyKeyUntil: long(7_200_000),
      }),
  },
  {
    name: 'job_without_webhook_rows',
    repair: 'end_announced',
    plant: async () => insertJob({ status: 'completed', ...answered, webhooksPending: true }),
  },
] as const;

describe('aigolos doctor', () => {
  it('finds nothing where nothing is stuck: what waits its turn, runs, or has just been sent', async () => {
    await insertJob({ queuedAt: new Date() });
    await insertJob({ ...lostWorker(), leaseUntil: new Date(Date.now() + 60_000) });
    await insertJob({ status: 'completed', ...answered });
    expect(await doctor()).toMatchObject([
      { name: 'jobs', state: 'ok' },
      { name: 'data', state: 'ok' },
    ]);
  });

  it.each(FAULTS)('finds $name with an example, mends it and says how often', async ({ name, repair, plant }) => {
    const id = await plant();
    const found = named(await doctor(), name);
    expect(found).toMatchObject({ state: 'warning', remedy: expect.stringContaining('--repair') });
    expect(found?.detail).toContain(id);
    const reporter = recordingReporter();
    await repairData({ config, signal, graceMs: 0 }, reporter);
    expect(reporter.lines).toContain(`ok mended: ${repair}: 1`);
    expect(named(await doctor(), name)).toBeUndefined();
  });

  it('finds turns that wait for one that nobody takes care of', async () => {
    const { conversation } = await turnOf();
    const first = await insertJob({ ...lostWorker(), conversation, turn: 0 });
    const second = await insertJob({ conversation, turn: 1 });
    const findings = await doctor();
    expect(named(findings, 'lease_run_out')?.detail).toContain(first);
    expect(named(findings, 'turn_blocked')?.detail).toContain(second);
  });

  it('tells a queue that nobody takes from and one whose workers are idle from one that is busy', async () => {
    const [id, behind] = [await insertJob({}), await insertJob({})];
    for (const waiting of [id, behind]) await producer.add({ id: waiting, kind: 'chat', account });
    const alone = named(await doctor(), 'queue_without_worker');
    expect(alone).toMatchObject({ state: 'bad', detail: expect.stringContaining('2 jobs waiting in queue llm') });

    const { promise: held, resolve: end } = Promise.withResolvers<void>();
    const handle = () => held.then(() => 'done' as const);
    const worker = createQueueWorker({ redis: queueConfig, queue: 'llm', concurrency: 1, handle, log });
    onTestFinished(() => worker.close());
    const active = async (count: number) => (await producer.queues.llm.getActiveCount()) === count;
    await waitUntil('the worker has one', () => active(1));
    expect(await doctor()).toMatchObject([{ name: 'jobs', state: 'ok' }, { name: 'data' }]);

    await producer.queues.llm.pause();
    end();
    await waitUntil('it is done', () => active(0));
    const idle = named(await doctor(), 'queue_stands_still');
    expect(idle).toMatchObject({ state: 'bad', detail: expect.stringContaining(behind) });
  });

  it('tells of jobs of a later version and leaves them alone', async () => {
    const id = await insertJob({});
    const shell = openDatabaseShell(config.env.MONGO_URL ?? '');
    onTestFinished(() => shell.close());
    await shell.run('jobs', 'updateOne', { _id: id }, { $set: { kind: 'dubbing', fromLater: { kept: true } } });
    const before = await db.jobs.find(id);
    expect(named(await doctor(), 'job_of_later_version')?.detail).toContain(`kind dubbing, queued, such as ${id}`);
    await repairData({ config, signal, graceMs: 0 }, recordingReporter());
    expect(await db.jobs.find(id)).toEqual(before);
  });
});
