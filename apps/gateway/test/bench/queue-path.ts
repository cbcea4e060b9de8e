import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '@aigolos/runtime';
import { startMongo, startRedis } from '@aigolos/testing';
import { CHAT } from '../answers.ts';
import { openHouse } from '../harness.ts';

const WARM_UP = 200;
/** Linux counts processor time in hundredths of a second (USER_HZ). */
const TICK_MS = 10;

export interface QueuePath {
  /** Milliseconds of each call, sorted. */
  took: number[];
  /** Milliseconds of processor time for a call. */
  cpu: { own: number; database: number; redis: number };
}

/**
 * How many milliseconds a synchronous call takes whose engine takes none: HTTP, the job's record, its queue, claim, result and
 * answer. The gateway and its client share a process here; the worker has its own. The database is one of its own, or the one of a
 * URL, whose processor time nobody knows.
 */
export async function queuePath(calls: number, mongoUrl?: string): Promise<QueuePath> {
  const redis = await startRedis();
  const mongo = mongoUrl === undefined ? await startMongo() : undefined;
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  const databaseUrl = mongo?.databaseUrl(name) ?? withDatabase(String(mongoUrl), name);
  // What is said as in production, and goes nowhere.
  const log = createLogger({ service: 'bench', level: 'info' }, { write: () => {} });
  const settings = { QUEUE_PREFIX: name };
  const house = await openHouse({ url: redis.url }, { newDatabaseUrl: () => databaseUrl }, settings, { log });
  const worker = fork(join(import.meta.dirname, 'chat-worker.ts'), [redis.url, name, databaseUrl]);
  const ended = once(worker, 'exit');
  try {
    const early = ended.then(() => Promise.reject(new Error('the worker has ended')));
    await Promise.race([once(worker, 'message'), early]);
    const took: number[] = [];
    const cpuMs = async () => [
      processMs(process.cpuUsage()) + (await cpuMsOf(worker.pid)),
      await cpuMsOf(mongo?.pid),
      await cpuMsOf(redis.pid),
    ];
    let before: number[] = [];
    for (let call = -WARM_UP; call < calls; call += 1) {
      if (call === 0) before = await cpuMs();
      const begun = performance.now();
      const answer = await house.post('/v1/chat/completions', CHAT);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`a call was answered ${answer.status}`);
      if (call >= 0) took.push(performance.now() - begun);
    }
    const [own = 0, database = 0, redisMs = 0] = (await cpuMs()).map(
      (ms, index) => (ms - (before[index] ?? 0)) / calls,
    );
    return { took: took.toSorted((a, b) => a - b), cpu: { own, database, redis: redisMs } };
  } finally {
    worker.kill();
    await Promise.all([ended, house.close()]);
    await Promise.all([redis.kill('SIGKILL'), mongo?.kill('SIGKILL')]);
  }
}

const processMs = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1_000;

/** Of another process; 0 where the system does not tell. */
async function cpuMsOf(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [user = '0', system = '0'] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * TICK_MS;
}

function withDatabase(url: string, name: string): string {
  const named = new URL(url);
  named.pathname = `/${name}`;
  return named.href;
}
