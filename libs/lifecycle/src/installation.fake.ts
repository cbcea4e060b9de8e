import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type BlobStore, openBlobStore } from '@aigolos/blob-store';
import { type ChatTask, newId } from '@aigolos/contracts';
import { type Database, type FileRecord, type JobRecord, newJobRecord, openDatabase } from '@aigolos/db';
import { createLiveStreams, createProducer, type LiveStreams, type Producer, type RedisConfig } from '@aigolos/queue';
import { type Logger } from '@aigolos/runtime';
import type { TestMongo, TestRedis } from '@aigolos/testing';
import { testLog as log } from '@aigolos/testing';

/** Stores of a test's own, with an account in them. */
export interface TestInstallation {
  db: Database;
  blobs: BlobStore;
  /** The folder under which blobs and spool lie. */
  dir: string;
  redis: RedisConfig;
  producer: Producer;
  live: LiveStreams;
  log: Logger;
  /** Whose the jobs are that it inserts. */
  account: string;
  /** A finished chat job of the account, unless the fields say otherwise. */
  insertJob(fields?: Partial<JobRecord>): Promise<string>;
  /** An uploaded file of the account, with its bytes. */
  insertFile(fields?: Partial<FileRecord>): Promise<string>;
  storeBlob(key: string, content?: string): Promise<void>;
  /** A webhook endpoint of the account that wants to hear of completed jobs. */
  insertEndpoint(): Promise<void>;
  close(): Promise<void>;
}

export async function openTestInstallation(redis: TestRedis, mongo: TestMongo): Promise<TestInstallation> {
  const dir = await mkdtemp(join(tmpdir(), 'aigolos-lifecycle-'));
  const db = await openDatabase(mongo.newDatabaseUrl());
  await db.prepare();
  const blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: dir, S3_REGION: 'us-east-1' });
  const config = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` };
  const producer = await createProducer(config, log);
  const live = await createLiveStreams(config, log);
  const { _id: account } = await db.access.ensureAccount('ada');
  const installation: TestInstallation = {
    db,
    blobs,
    dir,
    redis: config,
    producer,
    live,
    log,
    account,
    async insertJob({ kind = 'chat', ...fields } = {}) {
      const task: ChatTask = { model: 'test', messages: [{ role: 'user', content: 'hi' }], stop: [] };
      const record = newJobRecord({
        _id: newId(kind),
        kind,
        account: installation.account,
        status: 'completed',
        task,
        ...fields,
      });
      await db.jobs.insert(record);
      return record._id;
    },
    async insertFile(fields = {}) {
      const id = newId('file');
      const blobKey = `${id}/content`;
      await installation.storeBlob(blobKey, 'bytes');
      const what = {
        account: installation.account,
        purpose: 'user_data',
        filename: 'f',
        createdAt: new Date(),
      } as const;
      await db.files.insert({ _id: id, ...what, blobKey, bytes: 5, sha256: '0', ...fields });
      return id;
    },
    async storeBlob(key, content = 'audio') {
      await blobs.commit(await blobs.receive(Readable.from([content]), { maxBytes: 1_000 }), key);
    },
    async insertEndpoint() {
      const now = new Date();
      await db.webhooks.insertEndpoint({
        _id: newId('webhookEndpoint'),
        account: installation.account,
        url: 'https://example.org/hook',
        events: ['job.completed'],
        description: '',
        status: 'active',
        secrets: { current: 'whsec_test' },
        failuresInRow: 0,
        createdAt: now,
        updatedAt: now,
      });
    },
    async close() {
      await Promise.all([producer.close(), live.close(), db.close()]);
      await rm(dir, { recursive: true, force: true });
    },
  };
  return installation;
}
