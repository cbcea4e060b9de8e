import { CLEANUP_KINDS } from '@aigolos/contracts';
import { cleanUp, type RemovalDeps } from '@aigolos/lifecycle';
import type { Logger } from '@aigolos/runtime';
import type { Config } from './config.ts';

export interface ScheduledTask {
  name: string;
  /** Five fields, UTC. */
  cron: string;
  /** Must be fine to be interrupted at any point and run again. */
  run: (signal: AbortSignal) => Promise<void>;
}

export interface TaskDeps extends RemovalDeps {
  log: Logger;
}

const DAY_MS = 24 * 60 * 60_000;

/** What happens by the clock. */
export function createTasks(config: Config, deps: TaskDeps): ScheduledTask[] {
  const tasks = [{ name: 'cleanup', cron: config.CLEANUP_CRON, run: cleanUpBy(config.CLEANUP_DAYS, deps) }];
  return tasks.filter(({ cron }) => cron !== 'off');
}

function cleanUpBy(days: number, deps: TaskDeps): ScheduledTask['run'] {
  return async (signal) => {
    const before = new Date(Date.now() - days * DAY_MS);
    const removed = { items: 0, files: 0, bytes: 0 };
    for await (const { files, bytes } of cleanUp(deps, { before, kinds: CLEANUP_KINDS }, signal)) {
      removed.items += 1;
      removed.files += files;
      removed.bytes += bytes;
    }
    deps.log.info({ ...removed, before }, 'what was old was cleaned up');
  };
}
