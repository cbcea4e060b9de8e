import { type CleanupItem, type CleanupSelection, cleanUp, countCleanup, planCleanup } from '@aigolos/lifecycle';
import type { Installation } from '../open-installation.ts';
import { interruption } from '../output/interruption.ts';
import { createItemProgress } from '../output/item-progress.ts';
import { removalDeps } from '../removal-deps.ts';

/** How a cleanup ended, or what it would have done. */
export interface CleanupSummary {
  dryRun: boolean;
  /** What is older went. */
  before: Date;
  items: number;
  files: number;
  bytes: number;
  byKind: Record<string, number>;
  /** How many are still to go, where it was interrupted; null where there are too many to count them quickly. */
  left: number | null;
}

const COUNT_LEFT_MS = 5_000;

/**
 * Writes a JSON line to stdout for each item that is, or would be, removed. Ctrl-C ends it after those that it has begun.
 * Tells the summary, also before it throws where something could not be removed.
 */
export async function runCleanup(
  installation: Installation,
  selection: CleanupSelection,
  { dryRun, tell }: { dryRun: boolean; tell: (summary: CleanupSummary) => void },
): Promise<void> {
  const deps = removalDeps(installation);
  const interrupted = interruption();
  const summary: CleanupSummary = {
    dryRun,
    before: selection.before,
    items: 0,
    files: 0,
    bytes: 0,
    byKind: {},
    left: 0,
  };
  const progress = createItemProgress(() => countCleanup(deps, selection, interrupted.signal));
  try {
    await progress.start();
    for await (const item of (dryRun ? planCleanup : cleanUp)(deps, selection, interrupted.signal)) {
      add(summary, item);
      progress.print(JSON.stringify(item));
    }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    process.exitCode = interrupted.exitCode;
    summary.left = await countCleanup(deps, selection, AbortSignal.timeout(COUNT_LEFT_MS)).catch(() => null);
  } finally {
    progress.stop();
    interrupted.stop();
    tell(summary);
  }
}

function add(summary: CleanupSummary, { kind, files, bytes }: CleanupItem): void {
  summary.items += 1;
  summary.files += files;
  summary.bytes += bytes;
  summary.byKind[kind] = (summary.byKind[kind] ?? 0) + 1;
}
