import type { Logger } from '@aigolos/runtime';
import { Queue, Worker } from 'bullmq';
import { openPatientConnection, type RedisConfig } from './connection.ts';

export interface ScheduledTask {
  name: string;
  /** Five fields, UTC. */
  cron: string;
  /** Must be fine to run twice. `slot` is the time that it was due. */
  run: (slot: Date) => Promise<void>;
}

const QUEUE = 'maintenance';

/** Runs tasks by the clock: however many processes ask for it, each due time is run by one of them. */
export async function startSchedule(
  redis: RedisConfig,
  tasks: ScheduledTask[],
  log: Logger,
): Promise<{ close: () => Promise<void> }> {
  const connection = openPatientConnection(redis, log);
  const shared = { connection, prefix: redis.QUEUE_PREFIX, skipVersionCheck: true };
  const queue = new Queue(QUEUE, shared);
  const worker = new Worker(
    QUEUE,
    async (job) => {
      await tasks.find(({ name }) => name === job.name)?.run(new Date(job.timestamp + (job.opts.delay ?? 0)));
    },
    { ...shared, removeOnComplete: { count: 100 }, removeOnFail: { count: 100 } },
  );
  const onError = (error: Error) => log.debug({ err: error }, 'schedule error');
  queue.on('error', onError);
  worker.on('error', onError);
  worker.on('failed', (job, error) => log.error({ task: job?.name, err: error }, 'a scheduled task failed'));
  for (const { name, cron } of tasks) {
    await queue.upsertJobScheduler(name, { pattern: cron, tz: 'UTC' }, { name, opts: { attempts: 3 } });
  }
  return {
    async close() {
      await worker.close();
      await queue.close();
      connection.disconnect();
    },
  };
}
