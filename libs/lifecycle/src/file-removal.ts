import type { Database, RemovableFile } from '@aigolos/db';
import { messageOf } from '@aigolos/runtime';
import { forEachWhileAnswered, removeBlobs } from './job-removal.ts';
import type { RemovalDeps } from './removal.ts';

const BATCH = 200;

type FileRemovalDeps = Pick<RemovalDeps, 'blobs' | 'ledger'> & { db: Pick<Database, 'files'> };

/** Removes a file: its bytes first, so that what a killed process leaves is found again by the record. @returns whether it was there. */
export async function removeFile(deps: FileRemovalDeps, { _id: id }: Pick<RemovableFile, '_id'>): Promise<boolean> {
  await removeBlobs(deps, id);
  return deps.db.files.delete(id);
}

/**
 * Removes all files of an account. Where a ledger is kept, bytes that could not be removed are postponed and their record goes
 * all the same.
 */
export async function removeFilesOf(deps: FileRemovalDeps, account: string, signal?: AbortSignal): Promise<void> {
  const { db, ledger } = deps;
  for (;;) {
    signal?.throwIfAborted();
    const ids = await db.files.idsOf(account, BATCH);
    if (ids.length === 0) return;
    await ledger?.note('uploaded_file', ids);
    await forEachWhileAnswered(
      ids,
      (id) => removeBlobs(deps, id),
      async (item, error) => {
        if (!ledger) throw error;
        await ledger.postpone({ kind: 'uploaded_file', item }, messageOf(error));
      },
    );
    await Promise.all(ids.map((id) => db.files.delete(id)));
  }
}
