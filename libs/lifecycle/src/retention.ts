import type { BlobStore } from '@aigolos/blob-store';
import type { Database, JobWithFiles } from '@aigolos/db';
import { batchesOf, forEachAtOnce } from './batches.ts';
import { removeEndedJobs, removeIdleConversation } from './due-removal.ts';
import { removeFile, removeUpload } from './file-removal.ts';
import type { RemovalDeps } from './removal.ts';

export interface FilesDeps {
  db: Pick<Database, 'jobs'>;
  blobs: Pick<BlobStore, 'list' | 'delete'>;
}

export type RetentionDeps = RemovalDeps & FilesDeps;

const JOBS_AT_ONCE = 100;

/** How much was deleted because its time had come. */
export interface Expired {
  /** Jobs that lost files and stay. */
  files: number;
  jobs: number;
  conversations: number;
  uploadedFiles: number;
  /** Uploads that have ended, or were not completed in time. */
  uploads: number;
}

/** Deletes those files of a job whose time has come. Harmless twice, and where the job is gone. */
export async function dropExpiredFiles(deps: FilesDeps, jobId: string, now = new Date()): Promise<void> {
  const job = await deps.db.jobs.find(jobId);
  if (job?.filesExpireAt && job.filesExpireAt <= now) await dropFiles(deps, job, now);
}

/**
 * Deletes what is due: files before their jobs, jobs with all that belongs to them, and conversations with what was said in
 * them, unless a turn of theirs is under way. A few at a time; safe to interrupt and to run twice at once.
 * @throws the first error, once all that could be deleted is.
 */
export async function expire(deps: RetentionDeps, now: Date, signal: AbortSignal): Promise<Expired> {
  const { jobs, conversations } = deps.db;
  const expired: Expired = { files: 0, jobs: 0, conversations: 0, uploadedFiles: 0, uploads: 0 };
  let failed: { error: unknown } | undefined;
  const all = async <T>(kind: keyof Expired, due: AsyncIterable<T>, act: (item: T) => Promise<unknown>) => {
    try {
      const deleted = forEachAtOnce(due, signal, async (item) => ((await act(item)) ? true : undefined));
      for await (const _ of deleted) expired[kind] += 1;
    } catch (error) {
      signal.throwIfAborted();
      failed ??= { error };
    }
  };
  await all('files', jobs.filesExpiredBefore(now), (job) => dropFiles(deps, job, now).then(() => true));
  try {
    for await (const due of batchesOf(jobs.expiredBefore(now), JOBS_AT_ONCE)) {
      signal.throwIfAborted();
      expired.jobs += await removeEndedJobs(deps, due).catch((error: unknown) => {
        failed ??= { error };
        return 0;
      });
    }
  } catch (error) {
    signal.throwIfAborted();
    failed ??= { error };
  }
  await all('conversations', conversations.expiredBefore(now), (found) => removeIdleConversation(deps, found));
  await all('uploadedFiles', deps.db.files.expiredBefore(now), (file) => removeFile(deps, file));
  await all('uploads', deps.db.uploads.expiredBefore(now), (upload) => removeUpload(deps, upload));
  if (failed) throw failed.error;
  return expired;
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
