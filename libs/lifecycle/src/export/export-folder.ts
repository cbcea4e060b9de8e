import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BlobEntry } from '@aigolos/blob-store';
import { folderNameOf } from '../archive/folder-name.ts';
import { JOURNAL_NAME } from '../archive/folder-reader.ts';
import { type ArchivedFile, MANIFEST_NAME, pathOfBlob, writeManifest } from '../archive/manifest.ts';
import { metered } from '../archive/metered.ts';
import { countBytes, readUnlessGone } from './blobs.ts';
import { closeJournal, type Journal, openJournal } from './journal.ts';
import { accountOf, type ExportDeps, takeSnapshot } from './snapshot.ts';
import { type ExportSummary, manifestOf, type OnProgress, summarise } from './summary.ts';

export interface FolderOptions {
  account: string;
  /** The folder of the user is made in it. */
  directory: string;
  signal: AbortSignal;
  onProgress?: OnProgress | undefined;
}

/**
 * Writes an account's data into a folder under the user's name; the manifest last, so that a folder with one is whole. What an
 * earlier export into it has finished and is still right is not copied again, and what is there no more is removed.
 * @throws ConflictError where there is something else in the folder.
 */
export async function exportToFolder(deps: ExportDeps, options: FolderOptions): Promise<ExportSummary> {
  const { signal } = options;
  const account = await accountOf(deps, options.account);
  const folder = join(options.directory, folderNameOf(account.username));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const journal = await openJournal(folder, account._id);
  const snapshot = await takeSnapshot(deps, { account, folder, signal });
  const count = countBytes(snapshot.blobs, options.onProgress);
  const files: ArchivedFile[] = [];
  for (const blob of snapshot.blobs) {
    signal.throwIfAborted();
    const file = await bring(deps, { folder, blob, journal, signal, count });
    if (file) files.push(file);
  }
  const manifest = manifestOf(snapshot, files);
  await removeOthers(folder, new Set(manifest.files.map(({ path }) => path)));
  await writeFile(join(folder, `${MANIFEST_NAME}.new`), writeManifest(manifest), { mode: 0o600 });
  await rename(join(folder, `${MANIFEST_NAME}.new`), join(folder, MANIFEST_NAME));
  await closeJournal(folder);
  return summarise(snapshot, manifest, folder);
}

interface Copy {
  folder: string;
  blob: BlobEntry;
  journal: Journal;
  signal: AbortSignal;
  count: (bytes: number) => void;
}

/** One file, whole at its place or not there. */
async function bring(deps: ExportDeps, copy: Copy): Promise<ArchivedFile | undefined> {
  const { folder, blob, journal, signal, count } = copy;
  const path = pathOfBlob(blob.key);
  const place = join(folder, path);
  const finished = journal.finished.get(path);
  if (finished?.bytes === blob.bytes && (await isStillRight(place, finished))) {
    count(blob.bytes);
    return finished;
  }
  const content = await readUnlessGone(deps.blobs, blob.key);
  if (!content) return undefined;
  await mkdir(dirname(place), { recursive: true });
  const { stream, measured } = metered(content, count);
  await pipeline(stream, createWriteStream(`${place}.new`, { mode: 0o600 }), { signal });
  await rename(`${place}.new`, place);
  const file = { path, ...measured() };
  await journal.add(file);
  return file;
}

async function isStillRight(place: string, file: ArchivedFile): Promise<boolean> {
  const { stream, measured } = metered(createReadStream(place) as AsyncIterable<Uint8Array>);
  try {
    for await (const _ of stream);
  } catch {
    return false;
  }
  return measured().sha256 === file.sha256;
}

/** Removes what earlier exports have left: files of jobs that are gone, halves of files. */
async function removeOthers(root: string, kept: Set<string>): Promise<void> {
  const own = new Set([...kept, JOURNAL_NAME]);
  const clear = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) await clear(path);
      else if (!own.has(path)) await rm(join(root, path));
    }
    if (folder !== '') await rmdir(join(root, folder)).catch(() => {});
  };
  await clear('');
}
