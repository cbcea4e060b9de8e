import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChatTask, newId } from '@aigolos/contracts';
import { type Database, type JobRecord, newJobRecord, openDatabase } from '@aigolos/db';
import { createProducer } from '@aigolos/queue';
import { loadConfig } from '@aigolos/runtime';
import { testLog as log, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, test } from 'vitest';
import { createApp } from './app.ts';
import { type Config, ConfigSchema } from './config.ts';

const redis = useRedis();
const mongo = useMongo();
let dir: string;
let config: Config;
let db: Database;
let closers: (() => Promise<unknown>)[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aigolos-maintenance-'));
  config = loadConfig(ConfigSchema, {
    MONGO_URL: mongo.newDatabaseUrl(),
    REDIS_URL: redis.url,
    QUEUE_PREFIX: `test-${randomUUID()}`,
    BLOB_DIR: dir,
    RECONCILE_EVERY_MS: '200',
    LEADER_LEASE_MS: '900',
  });
  db = await openDatabase(config.MONGO_URL);
  await db.prepare();
  closers = [() => db.close()];
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  await rm(dir, { recursive: true, force: true });
});

async function startApp() {
  const app = createApp(config, log);
  closers.push(() => app.stop());
  await app.start();
  return app;
}

function job(fields: Partial<JobRecord<'chat'>>): JobRecord<'chat'> {
  const task: ChatTask = { model: 'test', messages: [{ role: 'user', content: 'hi' }], stop: [] };
  return newJobRecord({ _id: newId('chat'), kind: 'chat', account: 'acc_1', task, ...fields });
}

test('a job that the queue does not know is put back', async () => {
  const record = job({ status: 'queued', queuedAt: new Date(Date.now() - 60_000) });
  await db.jobs.insert(record);
  await startApp();
  const producer = await createProducer(config, log);
  closers.push(() => producer.close());
  await waitUntil('it is on the queue', () => producer.knows({ id: record._id, kind: 'chat' }));
});

test('a second instance takes over when the first stops', async () => {
  const first = await startApp();
  await startApp();
  await first.stop();
  const record = job({ status: 'queued', queuedAt: new Date(Date.now() - 60_000) });
  await db.jobs.insert(record);
  const producer = await createProducer(config, log);
  closers.push(() => producer.close());
  await waitUntil('the second one reconciles', () => producer.knows({ id: record._id, kind: 'chat' }));
});
