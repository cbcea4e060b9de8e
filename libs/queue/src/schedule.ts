import type { Logger } from '@aigolos/runtime';
import { DelayedError, type Job, Queue, Worker } from 'bullmq';
import { openFailFastConnection, openPatientConnection, type RedisConfig, waitUntilReady } from './connection.ts';
import type { Handled } from './worker.ts';

export interface ScheduleOptions {
  redis: RedisConfig;
  /** How many tasks may run at once in this process. */
  concurrency: number;
  /** Takes care of one due time of a task. The same one may come twice. An error here is a fault of ours: it comes again soon. */
  handle: (name: string, slot: Date) => Promise<Handled>;
  log: Logger;
}

export interface Schedule {
  /**
   * Sees to it that these tasks are handed out at their due times (five fields, UTC), and no others; changes nothing where that
   * is so. To be called by one process at a time, now and then: Redis may forget. Fails fast while Redis is away.
   */
  ensure(tasks: readonly { name: string; cron: string }[]): Promise<void>;
  /** Takes no more due times; resolves when the running ones are handled. */
  close(): Promise<void>;
}

const QUEUE = 'maintenance';
const READY_TIMEOUT_MS = 5_000;
const AGAIN_AFTER_ERROR_MS = 1_000;
const MAX_STALLED_COUNT = 1_000;

/** Hands out tasks by the clock, each due time to one of the processes that ask for it. */
export async function startSchedule({ redis, concurrency, handle, log }: ScheduleOptions): Promise<Schedule> {
  const patient = openPatientConnection(redis, log);
  // Nobody waits for an answer here.
  const failFast = openFailFastConnection({ ...redis, REDIS_SILENCE_MS: undefined }, log);
  await waitUntilReady(failFast, READY_TIMEOUT_MS);
  const shared = { prefix: redis.QUEUE_PREFIX, skipVersionCheck: true };
  const queue = new Queue(QUEUE, { ...shared, connection: failFast, skipWaitingForReady: true });
  const process = async (job: Job, token?: string) => {
    const handled = await handle(job.name, new Date(job.opts.prevMillis ?? job.timestamp)).catch(
      (error: unknown): Handled => {
        log.error({ err: error, task: job.name }, 'handling a scheduled task failed');
        return { againAfterMs: AGAIN_AFTER_ERROR_MS };
      },
    );
    if (handled === 'done') return;
    await job.moveToDelayed(Date.now() + handled.againAfterMs, token);
    throw new DelayedError();
  };
  const worker = new Worker(QUEUE, process, {
    ...shared,
    connection: patient,
    concurrency: Math.max(1, concurrency),
    maxStalledCount: MAX_STALLED_COUNT,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  const onError = (error: Error) => log.debug({ err: error }, 'schedule error');
  queue.on('error', onError);
  worker.on('error', onError);

  return {
    async ensure(tasks) {
      const known = new Map((await queue.getJobSchedulers()).map((scheduler) => [scheduler.key, scheduler]));
      for (const { name, cron } of tasks) {
        const { pattern } = known.get(name) ?? {};
        known.delete(name);
        // Setting it anew would drop a due time that waits to be taken.
        if (pattern !== cron) await queue.upsertJobScheduler(name, { pattern: cron, tz: 'UTC' }, { name });
      }
      for (const name of known.keys()) await queue.removeJobScheduler(name);
    },
    async close() {
      await worker.close();
      await queue.close();
      patient.disconnect();
      failFast.disconnect();
    },
  };
}
