import type { BlobStore } from '@aigolos/blob-store';
import type { Database } from '@aigolos/db';

export interface OrphanSweepDeps {
  db: Pick<Database, 'jobs'>;
  blobs: Pick<BlobStore, 'recordIds' | 'deleteRecord' | 'sweepSpool'>;
}

export interface OrphanSweep {
  /** Deletes the files of records that do not exist now and did not at the sweep before. @returns how many records' files. */
  sweep(signal: AbortSignal): Promise<number>;
}

const LOOKED_UP_AT_ONCE = 500;
const SPOOL_AGE_MS = 24 * 60 * 60_000;

/** The safety net under the reaction to deletes. Twice in a row, because a file is stored a moment before its record. */
export function createOrphanSweep({ db, blobs }: OrphanSweepDeps): OrphanSweep {
  let suspects = new Set<string>();
  return {
    async sweep(signal) {
      const orphans = new Set<string>();
      let batch: string[] = [];
      const lookUp = async () => {
        const existing = await db.jobs.existing(batch);
        for (const id of batch) if (!existing.has(id)) orphans.add(id);
        batch = [];
      };
      for await (const id of blobs.recordIds()) {
        signal.throwIfAborted();
        batch.push(id);
        if (batch.length === LOOKED_UP_AT_ONCE) await lookUp();
      }
      await lookUp();
      const confirmed = orphans.intersection(suspects);
      for (const id of confirmed) await blobs.deleteRecord(id);
      suspects = orphans.difference(confirmed);
      await blobs.sweepSpool(SPOOL_AGE_MS);
      return confirmed.size;
    },
  };
}
