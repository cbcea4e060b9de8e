import type { BlobStore } from '@aigolos/blob-store';
import type { Database, JobWithFiles } from '@aigolos/db';
import { batchesOf, settleAll } from './batches.ts';
import { removeEndedJob, removeIdleConversation } from './due-removal.ts';
import type { RemovalDeps } from './removal.ts';

export interface FilesDeps {
  db: Pick<Database, 'jobs'>;
  blobs: Pick<BlobStore, 'list' | 'delete'>;
}

export type RetentionDeps = RemovalDeps & FilesDeps;

/** How much was deleted because its time had come. */
export interface Expired {
  /** Jobs that lost files and stay. */
  files: number;
  jobs: number;
  conversations: number;
}

const AT_ONCE = 8;

/** Deletes those files of a job whose time has come. Harmless twice, and where the job is gone. */
export async function dropExpiredFiles(deps: FilesDeps, jobId: string, now = new Date()): Promise<void> {
  const job = await deps.db.jobs.find(jobId);
  if (job?.filesExpireAt && job.filesExpireAt <= now) await dropFiles(deps, job, now);
}

/**
 * Deletes what is due: files before their jobs, jobs with all that belongs to them, and conversations with what was said in
 * them, unless a turn of theirs is under way. A few at a time; safe to interrupt and to run twice at once.
 */
export async function expire(deps: RetentionDeps, now: Date, signal: AbortSignal): Promise<Expired> {
  const { jobs, conversations } = deps.db;
  const all = async <T>(due: AsyncIterable<T>, act: (item: T) => Promise<boolean>): Promise<number> => {
    let deleted = 0;
    for await (const batch of batchesOf(due, AT_ONCE)) {
      signal.throwIfAborted();
      const { done, failed } = await settleAll(batch, async (item) => ((await act(item)) ? true : undefined));
      if (failed) throw failed.reason;
      deleted += done.length;
    }
    return deleted;
  };
  return {
    files: await all(jobs.filesExpiredBefore(now), async (job) => {
      await dropFiles(deps, job, now);
      return true;
    }),
    jobs: await all(jobs.expiredBefore(now), async (job) => (await removeEndedJob(deps, job)) !== undefined),
    conversations: await all(conversations.expiredBefore(now), (found) => removeIdleConversation(deps, found)),
  };
}

async function dropFiles({ db, blobs }: FilesDeps, job: JobWithFiles, now: Date): Promise<void> {
  const { _id: id, inputExpiresAt, outputExpiresAt } = job;
  const isDue = (at: Date | undefined) => at !== undefined && at <= now;
  for await (const { key } of blobs.list(id)) {
    if (isDue(key.startsWith(`${id}/input`) ? inputExpiresAt : outputExpiresAt)) await blobs.delete(key);
  }
  const next = [inputExpiresAt, outputExpiresAt].filter((at) => at !== undefined && at > now);
  await db.jobs.noteFilesDeleted(id, {
    ...(isDue(inputExpiresAt) && { inputDeletedAt: now }),
    ...(isDue(outputExpiresAt) && { outputDeletedAt: now }),
    ...(next.length > 0 && { filesExpireAt: new Date(Math.min(...next.map(Number))) }),
  });
}
