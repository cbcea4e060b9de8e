import type { BlobStore } from '@aigolos/blob-store';
import { CLEANUP_KINDS } from '@aigolos/contracts';
import {
  backUp,
  cleanUp,
  type ExportDeps,
  type ExportSummary,
  pruneBackups,
  type RemovalDeps,
} from '@aigolos/lifecycle';
import type { Logger } from '@aigolos/runtime';
import type { Config } from './config.ts';

export interface ScheduledTask {
  name: string;
  /** Five fields, UTC. */
  cron: string;
  /** Must be fine to be interrupted at any point and run again. */
  run: (signal: AbortSignal, slot: Date) => Promise<void>;
}

export interface TaskDeps extends RemovalDeps {
  db: RemovalDeps['db'] & ExportDeps['db'];
  blobs: RemovalDeps['blobs'] & ExportDeps['blobs'] & Pick<BlobStore, 'spoolDir'>;
  log: Logger;
}

const DAY_MS = 24 * 60 * 60_000;

/** What happens by the clock. */
export function createTasks(config: Config, deps: TaskDeps): ScheduledTask[] {
  const tasks: ScheduledTask[] = [
    { name: 'cleanup', cron: config.CLEANUP_CRON, run: cleanUpBy(config.CLEANUP_DAYS, deps) },
  ];
  if (config.BACKUP_DIR !== undefined) {
    tasks.push({ name: 'backup', cron: config.BACKUP_CRON, run: backUpInto(config.BACKUP_DIR, config, deps) });
  }
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

function backUpInto(
  directory: string,
  { BACKUP_KEEP: keep, BACKUP_MAX_AGE_DAYS: maxAgeDays }: Config,
  deps: TaskDeps,
): ScheduledTask['run'] {
  return async (signal, slot) => {
    const exported = { accounts: 0, files: 0, bytes: 0, unfinished: 0 };
    const onExported = ({ files, bytes, unfinished }: ExportSummary) => {
      exported.accounts += 1;
      exported.files += files;
      exported.bytes += bytes;
      exported.unfinished += unfinished;
    };
    await backUp(deps, { directory, slot, workDir: deps.blobs.spoolDir, signal, onExported });
    const pruned = await pruneBackups(directory, { keep, maxAgeDays, now: new Date() });
    deps.log.info({ ...exported, slot, pruned }, 'everything was backed up');
  };
}
