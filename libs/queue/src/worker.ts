import type { QueueName, QueuePayload } from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import { DelayedError, type Job, Worker } from 'bullmq';
import { openPatientConnection, type RedisConfig } from './connection.ts';

/** What is to become of an id after it was handled: nothing more, or another look later. */
export type Handled = 'done' | { againAfterMs: number };

export interface QueueWorkerOptions {
  redis: RedisConfig;
  queue: QueueName;
  concurrency: number;
  /** Takes care of one job. An error here is a fault of ours: the id is looked at again soon. */
  handle: (jobId: string) => Promise<Handled>;
  log: Logger;
}

export interface QueueWorker {
  /** Takes no new ids; resolves when the running ones are handled. */
  drain(): Promise<void>;
  isRunning(): boolean;
  close(): Promise<void>;
}

const AGAIN_AFTER_ERROR_MS = 1_000;
/** So many looks that the queue never gives up by itself: whether a job has failed is decided by its record. */
const MAX_STALLED_COUNT = 1_000;

/**
 * Takes ids off a queue. Locks are short (a killed worker's id is free again after about 12 s); the lease in the record,
 * not this lock, decides who owns a job.
 */
export function createQueueWorker({ redis, queue, concurrency, handle, log }: QueueWorkerOptions): QueueWorker {
  const connection = openPatientConnection(redis, log);
  const process = async (job: Job<QueuePayload>, token?: string) => {
    const handled = await handle(job.data.jobId).catch((error: unknown): Handled => {
      log.error({ err: error, jobId: job.data.jobId }, 'handling a job failed');
      return { againAfterMs: AGAIN_AFTER_ERROR_MS };
    });
    if (handled === 'done') return;
    await job.moveToDelayed(Date.now() + handled.againAfterMs, token);
    throw new DelayedError();
  };
  const worker = new Worker<QueuePayload, void>(queue, process, {
    connection,
    prefix: redis.QUEUE_PREFIX,
    concurrency,
    lockDuration: 10_000,
    stalledInterval: 5_000,
    maxStalledCount: MAX_STALLED_COUNT,
    skipVersionCheck: true,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  worker.on('error', (error) => log.debug({ err: error }, 'queue worker error'));
  let draining: Promise<void> | undefined;

  return {
    drain() {
      draining ??= worker.close();
      return draining;
    },
    isRunning: () => worker.isRunning(),
    async close() {
      await worker.close(true);
      connection.disconnect();
    },
  };
}
