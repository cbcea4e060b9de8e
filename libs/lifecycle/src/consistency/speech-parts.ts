import type { BlobStore } from '@aigolos/blob-store';
import { speechPartPrefix } from '@aigolos/contracts';
import type { ConsistencyCheck } from './check.ts';

type Blobs = Pick<BlobStore, 'list' | 'delete'>;

/**
 * Removes what a speech job kept to go on from, whoever wrote it; its results stay. For jobs that have ended: one that runs
 * would begin anew.
 */
export async function removeSpeechParts({ blobs }: { blobs: Blobs }, jobId: string): Promise<void> {
  for await (const key of partsOf(blobs, jobId)) await blobs.delete(key);
}

async function* partsOf(blobs: Blobs, jobId: string): AsyncGenerator<string> {
  for await (const { key } of blobs.list(jobId)) if (key.startsWith(speechPartPrefix(jobId))) yield key;
}

/** What a worker writes that was slower to die than its job to end goes no later than the record. */
const LOOKED_BACK_MS = 7 * 24 * 60 * 60_000;

/** The net under the reaction to the end of a job that speaks, and under a worker that still wrote for one that had ended. */
export const leftoverParts: ConsistencyCheck = {
  kind: 'leftover_parts',
  isAutomatic: true,
  async *find({ db, blobs }, signal) {
    for await (const id of db.consistency.speechEndedSince(new Date(Date.now() - LOOKED_BACK_MS))) {
      signal.throwIfAborted();
      for await (const key of partsOf(blobs, id)) {
        yield { id, detail: `job ${id} has ended, but ${key} is still there` };
        break;
      }
    }
  },
  async repair(deps, id) {
    if (!(await deps.db.jobs.find(id))?.finishedAt) return false;
    await removeSpeechParts(deps, id);
    return true;
  },
};
