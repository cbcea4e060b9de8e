import type { Database } from '@aigolos/db';

export interface CleanupDeps {
  db: Pick<Database, 'jobs'>;
}

const BATCH = 500;

/**
 * Deletes the jobs whose time has come, in bounded batches; their files follow by the reaction to the deletes. Jobs that
 * have not ended are never touched. Safe to interrupt and to run twice at once.
 * @returns how many were deleted.
 */
export async function deleteExpiredJobs({ db }: CleanupDeps, now: Date, signal: AbortSignal): Promise<number> {
  let deleted = 0;
  for (;;) {
    signal.throwIfAborted();
    const ids = await db.jobs.expiredBefore(now, BATCH);
    if (ids.length === 0) return deleted;
    deleted += await db.jobs.deleteMany(ids);
  }
}
