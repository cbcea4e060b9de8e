import type { BlobStore } from '@aigolos/blob-store';
import { isFinal } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import type { ConsistencyCheck } from './check.ts';

type Blobs = Pick<BlobStore, 'list' | 'delete'>;
interface JobWithFiles {
  _id: string;
  task: object;
  result?: unknown;
}

/**
 * Removes what an ended job does not name: what it kept to go on from, and what an attempt wrote that did not end it, because
 * it died before or came too late. What the job was given and its results stay. @returns false where the job has not ended.
 */
export async function removeLeftoverFiles(
  { db, blobs }: { db: { jobs: Pick<Database['jobs'], 'find'> }; blobs: Blobs },
  jobId: string,
): Promise<boolean> {
  const job = await db.jobs.find(jobId);
  // One that runs would begin anew.
  if (!job || !isFinal(job.status)) return false;
  for await (const key of leftoversOf(blobs, job)) await blobs.delete(key);
  return true;
}

async function* leftoversOf(blobs: Blobs, { _id: id, task, result }: JobWithFiles): AsyncGenerator<string> {
  const named = new Set(keysIn({ task, result }, `${id}/`));
  for await (const { key } of blobs.list(id)) if (!named.has(key)) yield key;
}

/** Wherever they stand: a later version may name more than this one knows. */
function keysIn(value: unknown, prefix: string): string[] {
  if (typeof value === 'string') return value.startsWith(prefix) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner) => keysIn(inner, prefix));
}

/** What a worker writes that was slower to die than its job to end goes no later than the record. */
const LOOKED_BACK_MS = 7 * 24 * 60 * 60_000;

/** The net under the reaction to the end of a job that makes files, and under a worker that still wrote for one that had ended. */
export const leftoverFiles: ConsistencyCheck = {
  kind: 'leftover_files',
  isAutomatic: true,
  async *find({ db, blobs }, signal) {
    for await (const job of db.consistency.fileMakersEndedSince(new Date(Date.now() - LOOKED_BACK_MS))) {
      signal.throwIfAborted();
      for await (const key of leftoversOf(blobs, job)) {
        yield {
          id: job._id,
          detail: `job ${job._id} has ended, but ${key}, which is none of its results, is still there`,
        };
        break;
      }
    }
  },
  repair: removeLeftoverFiles,
};
