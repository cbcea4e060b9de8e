import type { Schedule } from '@aigolos/queue';
import { type Logger, startPeriodic } from '@aigolos/runtime';
import type { Config } from './config.ts';
import type { Reactors } from './reactors.ts';
import type { Sweeps } from './sweeps.ts';
import type { ScheduledTask } from './tasks.ts';

export interface DutiesOptions {
  config: Config;
  reactors: Reactors;
  sweeps: Sweeps;
  schedule: Schedule;
  tasks: readonly ScheduledTask[];
  log: Logger;
}

const SCHEDULE_CHECK_MS = 60_000;

/** What the one leader does while it leads. */
export function createDuties(options: DutiesOptions): (signal: AbortSignal, fence: number) => Promise<void> {
  const { config, reactors, sweeps, schedule, tasks, log } = options;
  return async (signal, fence) => {
    const periodic = (intervalMs: number, what: string, run: (signal: AbortSignal) => Promise<void>) =>
      startPeriodic({ intervalMs, run, onError: (error) => log.warn({ err: error }, `${what} failed`) });
    const duties = [
      periodic(config.RECONCILE_EVERY_MS, 'the reconciler', sweeps.reconcile),
      periodic(config.CONSISTENCY_EVERY_MS, 'the search for what does not fit together', sweeps.consistency),
      periodic(config.USAGE_EVERY_MS, 'the counting of usage', sweeps.usage),
      periodic(config.EXPIRE_EVERY_MS, 'the deletion of what is due', sweeps.due),
      periodic(SCHEDULE_CHECK_MS, 'setting the schedule', () => schedule.ensure(tasks)),
    ];
    try {
      await reactors.run(signal, fence);
    } finally {
      await Promise.all(duties.map((duty) => duty.stop()));
    }
  };
}
