import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';

const WAIT_MS = 250;
/** A lock that nobody has renewed for so long belongs to a process that died. */
const STALE_MS = 15_000;

/** Where a model is put together; survives an interrupted download, which goes on from there. */
export function workFolder(id: string, modelsDir: string): string {
  return join(modelsDir, '.work', id);
}

/**
 * Runs `task` while no other process and no other call works on this model's folder; waits for its turn.
 * The signal that the task gets aborts with the caller's, or when the lock was lost.
 */
export async function withModelLock<T>(
  options: { id: string; modelsDir: string; signal?: AbortSignal | undefined; onWait?: (() => void) | undefined },
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const folder = workFolder(options.id, options.modelsDir);
  await mkdir(folder, { recursive: true });
  const lost = new AbortController();
  const release = await acquire(`${folder}.lock`, lost, options);
  try {
    return await task(options.signal ? AbortSignal.any([options.signal, lost.signal]) : lost.signal);
  } finally {
    await release().catch(() => {});
  }
}

async function acquire(
  lockfilePath: string,
  lost: AbortController,
  { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: (() => void) | undefined },
): Promise<() => Promise<void>> {
  for (let waited = false; ; waited = true) {
    signal?.throwIfAborted();
    try {
      return await lockfile.lock(lockfilePath, {
        lockfilePath,
        realpath: false,
        stale: STALE_MS,
        onCompromised: (error) => lost.abort(error),
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    }
    if (!waited) onWait?.();
    await sleep(WAIT_MS, undefined, { signal });
  }
}
