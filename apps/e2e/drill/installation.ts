import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Database, openDatabase } from '@aigolos/db';
import { type MongoProcess, type RedisProcess, startMongo, startRedis, testConfig } from '@aigolos/testing';
import type { Control } from './controls/replacements.ts';
import { startTcpProxy, type TcpProxy } from './faults/tcp-proxy.ts';
import type { Journal } from './journal.ts';
import { PACE_MS } from './load/operations.ts';
import { type Place, type Supervisor, startSupervisor } from './supervisor.ts';

export interface InstallationOptions {
  journal: Journal;
  apps: Record<string, number>;
  control?: Control | undefined;
  env?: Record<string, string>;
}

/** Every process of the system, with proxies between them, on this machine's loopback alone. */
export interface Installation {
  redis: RedisProcess;
  mongo: MongoProcess;
  mongoUrl: string;
  /** A connection of the drill's own, which no proxy stands in. */
  db: Database;
  blobDir: string;
  supervisor: Supervisor;
  proxies: { redis: TcpProxy; database: TcpProxy; gateways: TcpProxy[] };
  /** Where clients reach the gateways. */
  urls: string[];
  account: string;
  apiKey: string;
  placesOf(app: string): Place[];
  stop(): Promise<void>;
}

const DATABASE = 'drill';

export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const { journal, control } = options;
  const [redis, mongo] = await Promise.all([startRedis(), startMongo()]);
  const blobDir = await mkdtemp(join(tmpdir(), 'aigolos-drill-'));
  const mongoUrl = mongo.databaseUrl(DATABASE);
  const db = await openDatabase(mongoUrl);
  await db.prepare();
  const account = await db.access.ensureAccount('drill');
  const { key: apiKey } = await db.access.createKey({ account: account._id, role: 'user', label: 'drill' });
  const [redisProxy, databaseProxy] = await Promise.all([startTcpProxy(redis.port), startTcpProxy(mongo.port)]);

  const settings = {
    PATH: [join(process.execPath, '..'), testConfig.PATH].join(delimiter),
    HOME: homedir(),
    LOG_LEVEL: 'info',
    MONGO_URL: mongoUrl.replace(`:${mongo.port}/`, `:${databaseProxy.port}/`),
    REDIS_URL: `redis://127.0.0.1:${redisProxy.port}`,
    BLOB_DIR: blobDir,
    CONCURRENCY: '3',
    DRAIN_GRACE_MS: '500',
    STOP_GRACE_MS: '500',
    RECONCILE_EVERY_MS: '2000',
    CONSISTENCY_EVERY_MS: '2000',
    // Longer than a gateway is frozen, or a database away, between the storing of a file and of its record.
    CONSISTENCY_GRACE_MS: '30000',
    EXPIRE_EVERY_MS: '1000',
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    WEBHOOK_RETRY_SECONDS: '0.5,1,1,2,2,3,3,5,5,5,10,10,10',
    WEBHOOK_TIMEOUT_MS: '3000',
    WEBHOOK_SWEEP_EVERY_MS: '2000',
    ASR_ENGINE: 'test',
    LLM_ENGINE: 'test',
    TTS_ENGINE: 'test',
    ...options.env,
    ...(control !== undefined && { NODE_OPTIONS: `--import=${preload(control)}` }),
  };
  const supervisor = await startSupervisor({
    apps: options.apps,
    env: ({ app }) => ({
      ...settings,
      ...(isPaced(app) && { TEST_ENGINE_PACE_MS: String(PACE_MS[app]) }),
      ...options.env,
    }),
    journal,
  });
  await supervisor.ready();
  const placesOf = (app: string) => supervisor.places.filter((place) => place.app === app);
  const gateways = await Promise.all(placesOf('gateway').map(({ port }) => startTcpProxy(port)));
  return {
    redis,
    mongo,
    mongoUrl,
    db,
    blobDir,
    supervisor,
    proxies: { redis: redisProxy, database: databaseProxy, gateways },
    urls: gateways.map(({ port }) => `http://127.0.0.1:${port}`),
    account: account._id,
    apiKey,
    placesOf,
    async stop() {
      await supervisor.stop();
      await db.close();
      await Promise.all([redisProxy, databaseProxy, ...gateways].map((proxy) => proxy.close()));
      await Promise.all([redis.kill('SIGKILL'), mongo.kill('SIGKILL')]);
      await rm(blobDir, { recursive: true, force: true });
    },
  };
}

const isPaced = (app: string): app is keyof typeof PACE_MS => app in PACE_MS;

function preload(control: Control): string {
  return `${pathToFileURL(join(import.meta.dirname, 'controls', 'preload.ts')).href}?control=${control}`;
}
