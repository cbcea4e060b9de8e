import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { JobView } from '@aigolos/contracts';
import { type Database, openDatabase } from '@aigolos/db';
import {
  type AppProcess,
  MODELS_DIR,
  type MongoProcess,
  type RedisProcess,
  speechPython,
  startApp,
  startMongo,
  startRedis,
  testConfig,
  waitUntil,
} from '@aigolos/testing';
import getPort from 'get-port';
import OpenAI from 'openai';

export const APP_NAMES = [
  'gateway',
  'worker-asr',
  'worker-llm',
  'worker-tts',
  'worker-maintenance',
  'worker-webhooks',
] as const;
export type AppName = (typeof APP_NAMES)[number];

export interface Stack {
  url: string;
  apiKey: string;
  adminKey: string;
  client: OpenAI;
  db: Database;
  redis: RedisProcess;
  mongo: MongoProcess;
  mongoUrl: string;
  blobDir: string;
  /** The first process of this name that runs. */
  app(name: AppName): AppProcess;
  /** Starts one more of it, or the first again after it was ended. */
  start(name: AppName): Promise<AppProcess>;
  /** Ends it by a signal. */
  end(app: AppProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<{ exitCode: number | undefined }>;
  /** Calls the gateway with the user's key. */
  fetch(path: string, init?: { method: string }): Promise<Response>;
  job(id: string): Promise<JobView>;
  /** The job once it has one of these states. */
  untilJob(id: string, states: JobView['status'][], timeoutMs?: number): Promise<JobView>;
  /** Names of a record's files. */
  blobsOf(id: string): Promise<string[]>;
  untilBlobsAreGone(id: string): Promise<unknown>;
  stop(): Promise<void>;
}

export interface StackOptions {
  engines: 'real' | 'test';
  /** Milliseconds for a second of audio, a token or a character of the test engines. */
  paceMs?: number;
  env?: Record<string, string>;
  /** Those that are started; all unless said. */
  apps?: readonly AppName[];
}

/** Every process of the system, each a real one, on ports and folders of their own. */
export async function startStack({
  engines,
  paceMs = 0,
  env: more = {},
  apps = APP_NAMES,
}: StackOptions): Promise<Stack> {
  const [redis, mongo] = await Promise.all([startRedis(), startMongo()]);
  const blobDir = await mkdtemp(join(tmpdir(), 'aigolos-e2e-'));
  const mongoUrl = mongo.databaseUrl('e2e');
  const db = await openDatabase(mongoUrl);
  await db.prepare();
  const account = await db.access.ensureAccount('e2e', 'admin');
  const { key: apiKey } = await db.access.createKey({ account: account._id, role: 'user', label: 'e2e' });
  const { key: adminKey } = await db.access.createKey({ account: account._id, role: 'admin', label: 'e2e' });
  const env = {
    PATH: [join(process.execPath, '..'), testConfig.PATH].join(delimiter),
    HOME: homedir(),
    LOG_LEVEL: 'debug',
    MONGO_URL: mongoUrl,
    REDIS_URL: redis.url,
    BLOB_DIR: blobDir,
    DRAIN_GRACE_MS: '500',
    RECONCILE_EVERY_MS: '2000',
    // What is sent twice is to be worked on twice.
    REUSE_RESULTS: 'false',
    TEST_ENGINE_PACE_MS: String(paceMs),
    ...(engines === 'real' ? realEngines() : { ASR_ENGINE: 'test', LLM_ENGINE: 'test', TTS_ENGINE: 'test' }),
    ...more,
  };
  const ports = new Map<AppName, number>([['gateway', await getPort()]]);
  const running: AppProcess[] = [];
  const start = async (name: AppName) => {
    const app = await startApp(name, env, ports.get(name));
    running.push(app);
    await app.ready();
    return app;
  };
  const end = async (app: AppProcess, signal: 'SIGTERM' | 'SIGKILL') => {
    running.splice(running.indexOf(app), 1);
    return app.end(signal);
  };
  await Promise.all(apps.map(start));

  const url = `http://127.0.0.1:${ports.get('gateway')}`;
  const fetchPath: Stack['fetch'] = (path, init) =>
    fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${apiKey}` } });
  const job = async (id: string) => (await (await fetchPath(`/v1/jobs/${id}`)).json()) as JobView;
  const blobsOf = (id: string) => readdir(join(blobDir, 'blobs', id)).catch(() => []);
  return {
    url,
    apiKey,
    adminKey,
    client: new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }),
    db,
    redis,
    mongo,
    mongoUrl,
    blobDir,
    app(name) {
      const app = running.find((candidate) => candidate.name === name);
      if (!app) throw new Error(`no ${name} runs`);
      return app;
    },
    start,
    end,
    fetch: fetchPath,
    job,
    untilJob: (id, states, timeoutMs = 60_000) =>
      waitUntil(
        `job ${id} is ${states.join(' or ')}`,
        async () => {
          const view = await job(id).catch(() => undefined);
          return view && states.includes(view.status) && view;
        },
        timeoutMs,
      ),
    blobsOf,
    untilBlobsAreGone: (id) => waitUntil(`the files of ${id} are gone`, async () => (await blobsOf(id)).length === 0),
    async stop() {
      await Promise.all(running.map((app) => app.end('SIGTERM')));
      await db.close();
      // Their data go with them, so there is nothing that they should write down in their own time.
      await Promise.all([redis.kill('SIGKILL'), mongo.kill('SIGKILL'), rm(blobDir, { recursive: true, force: true })]);
    },
  };
}

function realEngines(): Record<string, string> {
  return { ASR_PYTHON: speechPython(), MODELS_DIR, TTS_ENGINE: 'piper,espeak' };
}
