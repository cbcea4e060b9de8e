import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, type SpeechTask } from '@aigolos/contracts';
import { newJobRecord, openDatabase } from '@aigolos/db';
import {
  type AppProcess,
  type DatabaseShell,
  type MongoProcess,
  openDatabaseShell,
  startApp,
  startMongo,
  startRedis,
  waitUntil,
} from '@aigolos/testing';

const SPEECH: SpeechTask = { model: 'test', voice: 'ada', input: 'hello', format: 'wav', speed: 1 };

/** What `/readyz` tells. */
export interface Status {
  ready: boolean;
  role: 'leader' | 'follower';
  reactions: {
    state: 'idle' | 'opening' | 'watching' | 'silent';
    silentForSeconds: number;
    lastEventAgeSeconds: Record<string, number>;
  };
}

/** Servers of a test's own, and processes of worker-maintenance on them. */
export interface Maintenance {
  /** Whose changes nobody but the database knows of. */
  shell: DatabaseShell;
  mongo: MongoProcess;
  /** Starts one more and awaits that it is ready. */
  start(env?: Record<string, string>): Promise<AppProcess>;
  status(app: AppProcess): Promise<Status>;
  /** The sum of a metric's values that carry the label's value. */
  metric(app: AppProcess, name: string, label?: string): Promise<number>;
  /** Makes finished syntheses with a file each. */
  insertRecords(count: number): Promise<string[]>;
  /** Ids of the records that have files. */
  recordsWithFiles(): Promise<string[]>;
  untilFilesAreGone(ids: string[], timeoutMs?: number): Promise<unknown>;
  close(): Promise<void>;
}

export async function startMaintenance(options: { keptChanges?: number } = {}): Promise<Maintenance> {
  const [redis, mongo] = await Promise.all([startRedis(), startMongo(options)]);
  const dir = await mkdtemp(join(tmpdir(), 'aigolos-maintenance-'));
  const url = mongo.databaseUrl('maintenance');
  const db = await openDatabase(url);
  await db.prepare();
  await db.close();
  const shell = openDatabaseShell(url);
  const env = { MONGO_URL: url, REDIS_URL: redis.url, BLOB_DIR: dir, LOG_LEVEL: 'info' };
  const running: AppProcess[] = [];
  const recordsWithFiles = () => readdir(join(dir, 'blobs')).catch(() => []);
  return {
    shell,
    mongo,
    async start(more) {
      const app = await startApp('worker-maintenance', { ...env, ...more });
      running.push(app);
      await app.ready();
      return app;
    },
    status: async ({ url }) => (await (await fetch(`${url}/readyz`)).json()) as Status,
    async metric({ url }, name, label = '') {
      const text = await (await fetch(`${url}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    async insertRecords(count) {
      const records = Array.from({ length: count }, () =>
        newJobRecord({ _id: newId('speech'), kind: 'speech', account: 'acc_1', status: 'completed', task: SPEECH }),
      );
      const ids = records.map(({ _id }) => _id);
      await Promise.all(
        ids.map(async (id) => {
          await mkdir(join(dir, 'blobs', id), { recursive: true });
          await writeFile(join(dir, 'blobs', id, 'input'), 'audio');
        }),
      );
      await shell.run('jobs', 'insertMany', records);
      return ids;
    },
    recordsWithFiles,
    untilFilesAreGone: (ids, timeoutMs) =>
      waitUntil(
        'the files are gone',
        async () => {
          const left = new Set(await recordsWithFiles());
          return ids.every((id) => !left.has(id));
        },
        timeoutMs,
      ),
    async close() {
      await Promise.all(running.map((app) => app.end('SIGKILL')));
      await shell.close();
      await Promise.all([redis.kill('SIGKILL'), mongo.kill('SIGKILL'), rm(dir, { recursive: true, force: true })]);
    },
  };
}
