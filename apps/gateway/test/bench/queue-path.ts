import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { startMongo, startRedis } from '@aigolos/testing';
import { CHAT } from '../answers.ts';
import { type Program, startProgram } from './program.ts';
import type { Stores } from './stores.ts';

const WARM_UP = 200;
/** Linux counts processor time in hundredths of a second (USER_HZ). */
const TICK_MS = 10;

export interface QueuePath {
  /** Milliseconds of each call of each round: through the queue, answered in process, and what the one took more than the other just before it. */
  took: { queue: number[]; inProcess: number[]; added: number[] }[];
  /** Milliseconds of processor time for a call through the queue. */
  cpu: { gateway: number; worker: number; database: number; redis: number };
}

/**
 * What the queue adds to a synchronous call whose engine takes no time: the job's record, its queue, claim, result and answer. Each
 * call stands beside one that is answered in process: the same body, schemas and plugins, without the limits of an account, which count
 * as the queue's here. The database is one of its own, or the one of a URL, whose processor time nobody knows.
 */
export async function queuePath(rounds: number, calls: number, mongoUrl?: string): Promise<QueuePath> {
  const redis = await startRedis();
  const mongo = mongoUrl === undefined ? await startMongo() : undefined;
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  const databaseUrl = mongo?.databaseUrl(name) ?? withDatabase(String(mongoUrl), name);
  const stores: Stores = { redisUrl: redis.url, queuePrefix: name, mongoUrl: databaseUrl };
  const programs: Program<unknown>[] = [];
  const start = async <Ready>(file: string, argument: string) => {
    const program = await startProgram<Ready>(file, [argument]);
    programs.push(program);
    return program;
  };
  try {
    const inProcess = await start<string>('server.ts', 'zod');
    // First, since it makes the collections.
    const gateway = await start<{ url: string; key: string }>('chat-gateway.ts', JSON.stringify(stores));
    const worker = await start('chat-worker.ts', JSON.stringify(stores));
    const cpuMs = () => Promise.all([gateway.cpuMs(), worker.cpuMs(), cpuMsOf(mongo?.pid), cpuMsOf(redis.pid)]);
    const pair = async () => {
      const alone = await timeOf(inProcess.ready, 'sk-bench');
      return { alone, queued: await timeOf(gateway.ready.url, gateway.ready.key) };
    };
    for (let call = 0; call < WARM_UP; call += 1) await pair();
    const before = await cpuMs();
    const took: QueuePath['took'] = [];
    for (let round = 0; round < rounds; round += 1) {
      const times: QueuePath['took'][number] = { queue: [], inProcess: [], added: [] };
      for (let call = 0; call < calls; call += 1) {
        const { alone, queued } = await pair();
        times.inProcess.push(alone);
        times.queue.push(queued);
        times.added.push(queued - alone);
      }
      took.push(times);
    }
    const used = (await cpuMs()).map((ms, index) => (ms - (before[index] ?? 0)) / (rounds * calls));
    const [ofGateway = 0, ofWorker = 0, database = 0, ofRedis = 0] = used;
    return { took, cpu: { gateway: ofGateway, worker: ofWorker, database, redis: ofRedis } };
  } finally {
    for (const program of programs.toReversed()) await program.stop();
    await Promise.all([redis.kill('SIGKILL'), mongo?.kill('SIGKILL')]);
  }
}

/** Milliseconds that a chat takes. @throws where it is not answered with 200. */
async function timeOf(url: string, key: string): Promise<number> {
  const begun = performance.now();
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(CHAT),
  });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
  return performance.now() - begun;
}

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
