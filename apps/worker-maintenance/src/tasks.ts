import type { Database } from '@aigolos/db';
import { deleteExpiredJobs } from '@aigolos/lifecycle';
import type { Logger } from '@aigolos/runtime';
import type { Config } from './config.ts';

export interface ScheduledTask {
  name: string;
  /** Five fields, UTC. */
  cron: string;
  /** Must be fine to be interrupted at any point and run again. */
  run: (signal: AbortSignal) => Promise<void>;
}

export interface TaskDeps {
  db: Database;
  log: Logger;
}

/** What happens by the clock. */
export function createTasks(config: Config, { db, log }: TaskDeps): ScheduledTask[] {
  return [
    {
      name: 'cleanup',
      cron: config.CLEANUP_CRON,
      async run(signal) {
        const deleted = await deleteExpiredJobs({ db }, new Date(), signal);
        log.info({ deleted }, 'expired jobs were deleted');
      },
    },
  ];
}
