import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, openBlobStore } from '@aigolos/blob-store';
import { type JobKind, type ModelInfo, type QueueName, queueOf } from '@aigolos/contracts';
import { type Database, openDatabase } from '@aigolos/db';
import { createJobRunner, type Processor, type Processors } from '@aigolos/jobs';
import {
  createCancelReceiver,
  createLiveStreams,
  createProducer,
  createQueueWorker,
  createReadCache,
  type RedisConfig,
} from '@aigolos/queue';
import { createMetrics, type Logger, loadConfig } from '@aigolos/runtime';
import { type TestMongo, type TestRedis, testLog, watchForSecrets } from '@aigolos/testing';
import { ConfigSchema } from '../src/config.ts';
import { createGateway, type Gateway } from '../src/gateway.ts';

export const MODELS: ModelInfo[] = [
  { id: 'test-asr', kind: 'asr', isDefault: true, languages: ['en', 'ru'], voices: [], license: 'MIT' },
  {
    id: 'test-llm',
    kind: 'llm',
    isDefault: true,
    languages: ['en'],
    voices: [],
    license: 'MIT',
    capabilities: ['tools'],
  },
  { id: 'plain-llm', kind: 'llm', isDefault: false, languages: ['en'], voices: [], license: 'MIT' },
  {
    id: 'test-tts',
    kind: 'tts',
    isDefault: true,
    languages: ['ru', 'en'],
    voices: [
      { id: 'irina', name: 'Irina', language: 'ru-RU' },
      { id: 'joe', name: 'Joe', language: 'en-US' },
    ],
    license: 'MIT',
  },
  {
    id: 'other-tts',
    kind: 'tts',
    isDefault: false,
    languages: ['de'],
    voices: [{ id: 'de', name: 'German', language: 'de' }],
    license: 'MIT',
  },
];

export interface House {
  gateway: Gateway;
  url: string;
  db: Database;
  blobs: BlobStore;
  /** Keys of one account: a user's, an operator's; and a user's of another account. */
  keys: { user: string; admin: string; stranger: string };
  account: string;
  /** A request with the user's key, unless another is given. */
  call(path: string, init?: RequestInit & { key?: string }): Promise<Response>;
  /** A POST of a JSON body. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** A worker of the real queue whose work is the test's; of a kind of several steps on that of its first unless another is named. */
  work<Kind extends JobKind>(kind: Kind, process: Processor<Kind>, queue?: QueueName): Promise<void>;
  /** Starts another gateway on the same stores, at an address of its own. */
  startAnother(): Promise<Gateway>;
  /** Stops the gateway, and starts another one. */
  restart(): Promise<Gateway>;
  /** Files in the spool and blobs in the store: what requests have left. */
  files(): Promise<{ spool: string[]; blobs: string[] }>;
  close(): Promise<void>;
}

/** A gateway on a real port, over a real Redis, database and blob folder. */
export async function openHouse(
  redis: TestRedis,
  mongo: TestMongo,
  settings: Record<string, string> = {},
  { models = MODELS, log = testLog }: { models?: ModelInfo[]; log?: Logger } = {},
): Promise<House> {
  const dir = await mkdtemp(join(tmpdir(), 'aigolos-gateway-'));
  const env = {
    REDIS_URL: redis.url,
    QUEUE_PREFIX: `test-${randomUUID()}`,
    MONGO_URL: mongo.newDatabaseUrl(),
    BLOB_DIR: dir,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ...settings,
  };
  const config = loadConfig(ConfigSchema, env);
  const closers: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const gateway = createGateway(config, log);
  closers.push(() => gateway.stop());
  await gateway.start();
  const db = await openDatabase(config.MONGO_URL);
  closers.push(() => db.close());
  await db.models.announce(models);
  const { _id: account } = await db.access.ensureAccount('test', 'admin');
  const { _id: other } = await db.access.ensureAccount('other');
  const keyOf = async (owner: string, role: 'user' | 'admin') =>
    (await db.access.createKey({ account: owner, role, label: 'test' })).key;
  const keys = {
    user: await keyOf(account, 'user'),
    admin: await keyOf(account, 'admin'),
    stranger: await keyOf(other, 'user'),
  };
  const blobs = openBlobStore(config);

  async function startAnother(): Promise<Gateway> {
    const another = createGateway(config, log);
    closers.push(() => another.stop());
    await another.start();
    return another;
  }
  const call: House['call'] = async (path, { key = keys.user, headers, ...init } = {}) => {
    const answer = await fetch(new URL(path, gateway.url), {
      ...init,
      headers: { authorization: `Bearer ${key}`, ...(headers as Record<string, string>) },
    });
    if (!answer.ok) watchForSecrets('an error answer', await answer.clone().text());
    return answer;
  };
  return {
    gateway,
    url: gateway.url,
    db,
    blobs,
    keys,
    account,
    call,
    post: (path, body, headers = {}) =>
      call(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    async work(kind, process, queue) {
      closers.push(await startWorker({ config, db, log, kind, process, queue }));
    },
    startAnother,
    async restart() {
      await gateway.stop();
      return startAnother();
    },
    files: async () => ({
      spool: await readdir(join(dir, 'spool')).catch(() => []),
      blobs: await readdir(join(dir, 'blobs')).catch(() => []),
    }),
    async close() {
      for (const close of closers.splice(0).toReversed()) await close();
    },
  };
}

/** A worker of the real queue whose work is its caller's. @returns what stops it. */
export async function startWorker<Kind extends JobKind>({
  config,
  db,
  log,
  kind,
  process,
  queue: name = queueOf({ kind }),
}: {
  config: RedisConfig;
  db: Database;
  log: Logger;
  kind: Kind;
  process: Processor<Kind>;
  queue?: QueueName | undefined;
}): Promise<() => Promise<void>> {
  const producer = await createProducer(config, log);
  const live = await createLiveStreams(config, log);
  const cache = await createReadCache(config, log);
  const runner = createJobRunner({
    queue: name,
    processors: { [kind]: process } as unknown as Processors<Kind>,
    deps: { db, producer, live, cache, log },
    metrics: createMetrics('test'),
  });
  const cancels = createCancelReceiver(config, log, runner.cancel);
  const queue = createQueueWorker({ redis: config, queue: name, concurrency: 4, handle: runner.handle, log });
  return async () => {
    const drained = queue.drain();
    runner.abortAll();
    await drained;
    await queue.close();
    await Promise.all([cancels.close(), cache.close(), live.close(), producer.close()]);
  };
}
