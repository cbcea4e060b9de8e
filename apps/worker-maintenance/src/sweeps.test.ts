import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { newId } from '@aigolos/contracts';
import { type JobRecord, newJobRecord } from '@aigolos/db';
import { announceJobEnds } from '@aigolos/lifecycle';
import { createCloser, createMetrics, loadConfig, type Registry } from '@aigolos/runtime';
import { testLog, useMongo, useRedis } from '@aigolos/testing';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { ConfigSchema } from './config.ts';
import { openStores, type Stores } from './stores.ts';
import { createSweeps, type Sweeps } from './sweeps.ts';

const redis = useRedis();
const mongo = useMongo();
const { signal } = new AbortController();
const LONG_AGO = new Date(Date.now() - 10 * 60_000);
let stores: Stores;
let sweeps: Sweeps;
let metrics: Registry;
let account: string;
beforeEach(async () => {
  const BLOB_DIR = await mkdtemp(join(tmpdir(), 'aigolos-sweeps-'));
  const closer = createCloser();
  closer.add(() => rm(BLOB_DIR, { recursive: true, force: true }));
  onTestFinished(() => closer.closeAll());
  const config = loadConfig(ConfigSchema, {
    MONGO_URL: mongo.newDatabaseUrl(),
    REDIS_URL: redis.url,
    QUEUE_PREFIX: `test-${randomUUID()}`,
    BLOB_DIR,
    CONSISTENCY_GRACE_MS: '0',
  });
  metrics = createMetrics('test');
  stores = await openStores(config, { closer, metrics, log: testLog });
  sweeps = createSweeps(config, stores, metrics);
  ({ _id: account } = await stores.db.access.ensureAccount('ada'));
});

/** A metric's values that are not 0, by their label. */
async function counted(name: string): Promise<Record<string, number>> {
  const { values } = (await metrics.getSingleMetric(name)?.get()) ?? { values: [] };
  const pairs = values.map(({ labels, value }) => [String(labels.kind ?? labels.repair), value] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value > 0));
}

async function insertJob(fields: Partial<JobRecord>): Promise<string> {
  const task = { model: 'test', messages: [{ role: 'user' as const, content: 'hi' }], stop: [] };
  const { kind = 'chat' } = fields;
  const job = newJobRecord({
    _id: newId(kind),
    kind,
    account,
    task,
    createdAt: LONG_AGO,
    queuedAt: LONG_AGO,
    ...fields,
  });
  await stores.db.jobs.insert(job);
  return job._id;
}

const storeBlob = async (key: string) =>
  stores.blobs.commit(await stores.blobs.receive(Readable.from(['audio']), { maxBytes: 9 }), key);

const ENDED = { status: 'completed' as const, finishedAt: LONG_AGO };

test('each thing that the reconciler mends is counted under a name of its own', async () => {
  await insertJob({});
  await insertJob({ status: 'in_progress', fence: 1, leaseUntil: LONG_AGO });
  const overdue = await insertJob({ startBy: LONG_AGO, deadlineAt: LONG_AGO });
  await stores.producer.add({ id: overdue, kind: 'chat', account });
  const { _id: conversation } = await stores.db.conversations.create(account);
  const result = { text: 'hello', finishReason: 'stop' as const };
  await insertJob({ ...ENDED, conversation, turn: 0, result, messagesPending: true });
  await insertJob({ ...ENDED, webhooksPending: true });
  await sweeps.reconcile(signal);
  expect(await counted('aigolos_reconciler_repairs_total')).toEqual({
    requeued: 1,
    lease_expired: 1,
    expired: 1,
    messages_written: 1,
  });
  expect(await counted('aigolos_inconsistencies_repaired_total')).toEqual({ job_without_webhook_rows: 1 });
});

test('each thing that does not fit together and is mended by itself is counted under a name of its own', async () => {
  await storeBlob('trn_1/input');
  const task = { model: 'test', voice: 'ada', input: 'hi', format: 'wav' as const, speed: 1 };
  const speech = await insertJob({
    ...ENDED,
    kind: 'speech',
    task,
    finishedAt: new Date(),
    outputDeletedAt: new Date(),
  });
  await storeBlob(`${speech}/part-1-0.s16le`);
  await insertJob({ ...ENDED, account: 'acc_gone' });
  await insertJob({ ...ENDED, conversation: newId('conversation'), turn: 0 });
  await insertJob({ ...ENDED, webhooksPending: true });
  const told = await insertJob({ ...ENDED, webhookUrl: 'https://example.org/hook' });
  await announceJobEnds(stores, [told]);
  await stores.db.jobs.deleteIdle([told]);
  await stores.producer.queues.webhooks.obliterate({ force: true });
  await stores.producer.add({ id: 'cht_gone', kind: 'chat', account });
  const expected = {
    orphan_blobs: 1,
    leftover_files: 1,
    record_without_account: 1,
    message_without_conversation: 1,
    job_without_webhook_rows: 1,
    delivery_without_job: 1,
    queue_entry_without_job: 1,
  };
  await sweeps.consistency(signal);
  expect(await counted('aigolos_inconsistencies')).toEqual(expected);
  expect(await counted('aigolos_inconsistencies_repaired_total')).toEqual({});
  await sweeps.consistency(signal);
  expect(await counted('aigolos_inconsistencies')).toEqual({});
  expect(await counted('aigolos_inconsistencies_repaired_total')).toEqual(expected);
});
