import { setTimeout as sleep } from 'node:timers/promises';
import { type QueueName, type QueuePayload, QueuePayloadSchema } from '@aigolos/contracts';
import { Counter, type Logger, type Registry } from '@aigolos/runtime';
import { DelayedError, type Job, Worker } from 'bullmq';
import { openFailFastConnection, openPatientConnection, type RedisConfig } from './connection.ts';
import { FAIR_SHARE_SCRIPTS, type FairRedis } from './fair-share-scripts.ts';
import { startPace } from './pace.ts';
import { PACE_SCRIPTS, type PaceRedis } from './pace-scripts.ts';
import { watchProgress } from './progress.ts';

/** What is to become of an id after it was handled: nothing more, or another look later. */
export type Handled =
  | 'done'
  | {
      againAfterMs: number;
      /** Called when the id waits for that look, so that it can be brought forward. */
      onceWaiting?: () => Promise<void>;
    };

export interface QueueWorkerOptions {
  redis: RedisConfig;
  queue: QueueName;
  concurrency: number;
  /** Takes care of one job. An error here is a fault of ours: the id is looked at again soon. */
  handle: (jobId: string) => Promise<Handled>;
  log: Logger;
  metrics?: Registry;
  /** For tests. */
  lookEveryMs?: number;
  /** Called when ids wait and cannot be got, whatever was tried. Ends the process where absent: its supervisor starts another. */
  onStuck?: () => void;
}

export interface QueueWorker {
  /** Takes no new ids; resolves when the running ones are handled. */
  drain(): Promise<void>;
  /** It takes ids, or would if there were some. */
  isRunning(): boolean;
  close(): Promise<void>;
}

const AGAIN_AFTER_ERROR_MS = 1_000;
const LOOK_EVERY_MS = 5_000;
/** So many looks that the queue never gives up by itself: whether a job has failed is decided by its record. */
const MAX_STALLED_COUNT = 1_000;
/** A killed worker's id is free again after 10 s at most: docs/adr/0015. */
const LOCKS = { lockDuration: 6_000, stalledInterval: 2_000, maxStalledCount: MAX_STALLED_COUNT };
/** After an outage nothing waits longer than this for its next try. */
const RECONNECTING = { drainDelay: 2, runRetryDelay: 1_000 };
/** BullMQ waits for the end of a connection; one that is between two tries to reach Redis ends without saying so. */
const CLOSING_MS = 2_000;
/** BullMQ's score of a delayed id: its time in ms, times this. */
const DELAYED_SCORE = 0x1000;

/**
 * Takes ids off a queue. Locks are short; the lease in the record, not this lock, decides who owns a job. A worker that takes
 * none of the ids that wait is made anew.
 */
export function createQueueWorker(options: QueueWorkerOptions): QueueWorker {
  const { redis, queue, concurrency, log, metrics, lookEveryMs = LOOK_EVERY_MS, onStuck = endProcess } = options;
  const recreations = metrics && recreationsIn(metrics);
  recreations?.inc({ queue }, 0);
  const running = new Set<Promise<Handled>>();
  const looks = openFailFastConnection(redis, log);
  const handle = async (jobId: string) => {
    progress.taken();
    const handled = options.handle(jobId);
    running.add(handled);
    return handled.finally(() => running.delete(handled));
  };
  const opened = [openWorker({ ...options, handle })];
  const newest = () => opened.at(-1) as OpenWorker;
  const progress = watchProgress({
    lookEveryMs,
    log: log.child({ queue }),
    isWantingWork: async () => running.size < concurrency && (await waiting()) > 0,
    recreate() {
      recreations?.inc({ queue });
      // What it still runs it may end, under locks that it goes on to renew.
      void newest()
        .worker.close()
        .catch(() => {});
      opened.push(openWorker({ ...options, handle }));
    },
    giveUp: onStuck,
  });
  let draining: Promise<void> | undefined;

  async function waiting(): Promise<number> {
    const keyOf = (list: string) => newest().worker.toKey(list);
    if (await looks.hexists(keyOf('meta'), 'paused')) return 0;
    const [inLine, first, due] = await Promise.all([
      looks.zcard(keyOf('prioritized')),
      looks.llen(keyOf('wait')),
      looks.zcount(keyOf('delayed'), 0, Date.now() * DELAYED_SCORE),
    ]);
    return inLine + first + due;
  }

  async function drain(): Promise<void> {
    progress.stop();
    for (const { pace } of opened) pace.stop();
    const closed = newest().worker.close();
    await Promise.allSettled(running);
    await atMost(CLOSING_MS, closed);
  }

  return {
    drain() {
      draining ??= drain();
      return draining;
    },
    isRunning: () => newest().worker.isRunning() && !progress.isStuck(),
    async close() {
      progress.stop();
      for (const { pace } of opened) pace.stop();
      await atMost(CLOSING_MS, newest().worker.close(true));
      // The earlier ones are being closed, and may wait for an answer that does not come.
      for (const { connection } of opened) connection.disconnect();
      looks.disconnect();
    },
  };
}

type OpenWorker = ReturnType<typeof openWorker>;

function openWorker({ redis, queue, concurrency, handle, log }: QueueWorkerOptions) {
  const scripts = { ...FAIR_SHARE_SCRIPTS, ...PACE_SCRIPTS };
  const connection = openPatientConnection(redis, log, { scripts }) as FairRedis & PaceRedis;
  const onError = (error: unknown) => log.debug({ err: error }, 'the pace of a queue was not told');
  const toKey = (list: string) => worker.toKey(list);
  const pace = startPace({ redis: connection, prefix: redis.QUEUE_PREFIX, queue, concurrency, toKey, onError });
  const process = async (job: Job<QueuePayload>, token?: string) => {
    const began = performance.now();
    const { jobId } = QueuePayloadSchema.parse(job.data);
    const handling = handle(jobId).catch((error: unknown): Handled => {
      log.error({ err: error, jobId }, 'handling a job failed');
      return { againAfterMs: AGAIN_AFTER_ERROR_MS };
    });
    // Beside the work, which has begun with a question to the database.
    setImmediate(() => pace.started(jobId, job.priority));
    const handled = await handling;
    if (handled === 'done') return pace.took(performance.now() - began);
    await job.moveToDelayed(Date.now() + handled.againAfterMs, token);
    await handled.onceWaiting?.().catch((error: unknown) => {
      log.debug({ err: error, jobId }, 'an id waits, and may wait too long');
    });
    throw new DelayedError();
  };
  const worker = new Worker<QueuePayload, void>(queue, process, {
    connection,
    prefix: redis.QUEUE_PREFIX,
    concurrency,
    ...LOCKS,
    ...RECONNECTING,
    skipVersionCheck: true,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  worker.on('error', (error) => log.debug({ err: error }, 'queue worker error'));
  return { worker, pace, connection };
}

async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  await Promise.race([promise, sleep(ms, undefined, { ref: false })]);
}

/** Workers of several queues in one process share it. */
function recreationsIn(registry: Registry): Counter<'queue'> {
  const name = 'aigolos_queue_worker_recreated_total';
  return (
    (registry.getSingleMetric(name) as Counter<'queue'> | undefined) ??
    new Counter({
      name,
      help: 'Queue workers that took none of the ids that waited, and were made anew',
      labelNames: ['queue'],
      registers: [registry],
    })
  );
}

function endProcess(): void {
  // Uncaught on purpose: that stops the process as an error does, and its supervisor starts another.
  setImmediate(() => {
    throw new Error('this process gets no ids off its queue, though some wait');
  });
}
