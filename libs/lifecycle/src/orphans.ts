import type { BlobStore } from '@aigolos/blob-store';
import type { Database } from '@aigolos/db';

export interface OrphanSweepDeps {
  db: Pick<Database, 'jobs'>;
  blobs: Pick<BlobStore, 'recordIds' | 'deleteRecord' | 'sweepSpool'>;
  /** For so long a record may be missing before its files count as left behind: a file is stored a moment before its record. */
  graceMs?: number;
}

export interface OrphanSweep {
  /** Deletes the files of records that do not exist now and did not at an earlier sweep. @returns how many records' files. */
  sweep(signal: AbortSignal): Promise<number>;
}

const LOOKED_UP_AT_ONCE = 500;
const GRACE_MS = 60_000;
const SPOOL_AGE_MS = 24 * 60 * 60_000;

/** The safety net under the reaction to deletes. */
export function createOrphanSweep({ db, blobs, graceMs = GRACE_MS }: OrphanSweepDeps): OrphanSweep {
  /** Records found missing, and when that was first seen. */
  let suspects = new Map<string, number>();

  async function missing(signal: AbortSignal): Promise<Set<string>> {
    const found = new Set<string>();
    let batch: string[] = [];
    const lookUp = async () => {
      const existing = await db.jobs.existing(batch);
      for (const id of batch) if (!existing.has(id)) found.add(id);
      batch = [];
    };
    for await (const id of blobs.recordIds()) {
      signal.throwIfAborted();
      if (batch.push(id) === LOOKED_UP_AT_ONCE) await lookUp();
    }
    await lookUp();
    return found;
  }

  return {
    async sweep(signal) {
      const now = Date.now();
      const stillSuspect = new Map<string, number>();
      let removed = 0;
      for (const id of await missing(signal)) {
        const since = suspects.get(id);
        if (since !== undefined && now - since >= graceMs) {
          await blobs.deleteRecord(id);
          removed += 1;
        } else {
          stillSuspect.set(id, since ?? now);
        }
      }
      suspects = stillSuspect;
      await blobs.sweepSpool(SPOOL_AGE_MS);
      return removed;
    },
  };
}
