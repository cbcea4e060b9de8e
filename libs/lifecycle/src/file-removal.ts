import type { Database, FilesRepository, RemovableFile } from '@aigolos/db';
import { messageOf } from '@aigolos/runtime';
import { forEachWhileAnswered, removeBlobs } from './job-removal.ts';
import type { RemovalDeps } from './removal.ts';

const BATCH = 200;

type Blobs = Pick<RemovalDeps, 'blobs' | 'ledger'>;

/** Removes a file: its bytes first, so that what a killed process leaves is found again by the record. @returns whether it was there. */
export async function removeFile(
  deps: Blobs & { db: { files: Pick<FilesRepository, 'delete'> } },
  { _id: id }: Pick<RemovableFile, '_id'>,
): Promise<boolean> {
  await removeBlobs(deps, id);
  return deps.db.files.delete(id);
}

/** Removes an upload, whether it was completed or not, with what is left of its parts. @returns whether it was there. */
export async function removeUpload(
  deps: Blobs & { db: Pick<Database, 'uploads'> },
  { _id: id }: { _id: string },
): Promise<boolean> {
  await removeBlobs(deps, id);
  return deps.db.uploads.delete(id);
}

/** Removes the files that a job has made. Where a ledger is kept, as {@link removeFilesOf}. */
export async function removeFilesMadeBy(deps: Blobs & { db: Pick<Database, 'files'> }, job: string): Promise<void> {
  const { files } = deps.db;
  await removeAll(deps, { kind: 'uploaded_file', ids: await files.madeBy(job), records: files });
}

/** Removes records and their bytes; bytes that could not be removed are postponed where a ledger is kept. */
async function removeAll(
  deps: Blobs,
  {
    kind,
    ids,
    records,
  }: { kind: 'upload' | 'uploaded_file'; ids: string[]; records: Pick<Database['files'], 'delete'> },
): Promise<void> {
  await deps.ledger?.note(kind, ids);
  await forEachWhileAnswered(
    ids,
    (id) => removeBlobs(deps, id),
    async (item, error) => {
      if (!deps.ledger) throw error;
      await deps.ledger.postpone({ kind, item }, messageOf(error));
    },
  );
  await Promise.all(ids.map((id) => records.delete(id)));
}

/**
 * Removes all files and uploads of an account. Where a ledger is kept, bytes that could not be removed are postponed and their
 * record goes all the same.
 */
export async function removeFilesOf(
  deps: Blobs & { db: Pick<Database, 'files' | 'uploads'> },
  account: string,
  signal?: AbortSignal,
): Promise<void> {
  // Uploads first: they become files.
  const kinds = [
    ['upload', deps.db.uploads],
    ['uploaded_file', deps.db.files],
  ] as const;
  for (const [kind, records] of kinds) {
    for (;;) {
      signal?.throwIfAborted();
      const ids = await records.idsOf(account, BATCH);
      if (ids.length === 0) break;
      await removeAll(deps, { kind, ids, records });
    }
  }
}
