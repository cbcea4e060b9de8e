import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AIGolosError, NotFoundError } from '@aigolos/contracts';
import { messageOf } from '@aigolos/runtime';
import { exportToDirectory } from '../export/export-archive.ts';
import type { ExportDeps } from '../export/snapshot.ts';
import type { ExportSummary } from '../export/summary.ts';
import { exists, folderOfSlot, UNFINISHED_SUFFIX } from './slots.ts';

export interface BackupOptions {
  directory: string;
  /** When it was due; its folder is named by it. */
  slot: Date;
  /** Of documents while they are collected. */
  workDir: string;
  signal: AbortSignal;
  onExported?: (summary: ExportSummary) => void;
}

/**
 * Exports every account into the folder of a due time, which has its name when all of them are there. Interrupted, or run again
 * for the same time, it goes on where it was.
 * @throws AIGolosError `EXPORT_FAILED` naming the accounts that could not be exported, when all others have been.
 */
export async function backUp(deps: ExportDeps, options: BackupOptions): Promise<void> {
  const { directory, slot, workDir, signal, onExported = () => {} } = options;
  const whole = join(directory, folderOfSlot(slot));
  if (await exists(whole)) return;
  const unfinished = `${whole}${UNFINISHED_SUFFIX}`;
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  const failed: string[] = [];
  for (const { _id: account, erasingAt } of await Array.fromAsync(deps.db.transfer.accounts())) {
    signal.throwIfAborted();
    if (erasingAt) continue;
    try {
      const summary = await exportToDirectory(deps, { account, directory: unfinished, workDir, signal });
      if (await isStaying(deps, account)) onExported(summary);
      else await rm(summary.path, { force: true });
    } catch (error) {
      signal.throwIfAborted();
      // One that was deleted meanwhile is missing as if it had been deleted before.
      if (!(error instanceof NotFoundError)) failed.push(`${account} (${messageOf(error)})`);
    }
  }
  if (failed.length > 0) {
    throw new AIGolosError(`The backup lacks ${failed.join(', ')}.`, { code: 'EXPORT_FAILED', retryable: true });
  }
  await rename(unfinished, whole);
}

/** Whoever erases an account looks into the backups after it was marked: what is found there before that mark is theirs. */
async function isStaying({ db }: ExportDeps, id: string): Promise<boolean> {
  const [account] = await db.transfer.find('account', [id]);
  return account !== undefined && !account.erasingAt;
}
