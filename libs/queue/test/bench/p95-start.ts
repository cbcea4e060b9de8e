import { setTimeout as sleep } from 'node:timers/promises';
import { createQueueWorker } from '../../src/index.ts';
import { addJob, fill, log, type Order, openBench } from './installation.ts';

/** `steady`: a fifth of what the workers can do, one after another. `burst`: forty at once. */
export type Load = 'steady' | 'burst';

const SLOTS = 4;
const JOB_MS = 80;
const STEADY = { jobs: 200, everyMs: (JOB_MS / SLOTS) * 5 };
const BURST = 40;
/** With few waiting the other account sends the next when one is done, so that the workers are never idle. */
const FEW = 100;

interface Options {
  order: Order;
  load: Load;
  /** Jobs of the other account. */
  waiting: number;
}

/** The 95th percentile of the times from submission to start of the measured account's jobs, in ms. */
export async function p95Start({ order, load, waiting }: Options): Promise<number> {
  const { config, producer, close } = await openBench();
  await fill(producer, order, waiting, 'other');
  const sentAt = new Map<string, number>();
  const waits: number[] = [];
  let fed = waiting;
  let stopped = false;
  const worker = createQueueWorker({
    redis: config,
    queue: 'llm',
    concurrency: SLOTS,
    log,
    handle: async (id) => {
      const since = sentAt.get(id);
      if (since !== undefined) waits.push(performance.now() - since);
      await sleep(stopped ? 0 : JOB_MS);
      const feeds = since === undefined && waiting > 0 && waiting < FEW && !stopped;
      if (feeds) await addJob(producer, order, `other-${fed++}`, 'other');
      return 'done';
    },
  });
  const send = (index: number) => {
    sentAt.set(`measured-${index}`, performance.now());
    return addJob(producer, order, `measured-${index}`, 'measured');
  };
  // The workers have their first jobs, and are in step with nothing.
  await sleep(500);
  const jobs = load === 'burst' ? BURST : STEADY.jobs;
  if (load === 'burst') await Promise.all(Array.from({ length: jobs }, (_, index) => send(index)));
  else {
    const began = performance.now();
    for (let index = 0; index < jobs; index += 1) {
      await sleep(Math.max(0, began + index * STEADY.everyMs - performance.now()));
      await send(index);
    }
  }
  while (waits.length < jobs) await sleep(20);
  stopped = true;
  await worker.close();
  await close();
  return waits.toSorted((a, b) => a - b)[Math.ceil(jobs * 0.95) - 1] ?? Number.NaN;
}
