import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { folderNameOf } from '../archive/folder-name.ts';
import { type Manifest, pathOfBlob } from '../archive/manifest.ts';
import { ARCHIVE_SUFFIX } from '../archive/tar-format.ts';
import { openTarArchive } from '../archive/tar-reader.ts';
import { accountOf, type ExportDeps, type Snapshot, takeSnapshot } from './snapshot.ts';
import { type ExportSummary, manifestOf, type OnProgress, summarise } from './summary.ts';
import { type WrittenArchive, writeArchive } from './write-archive.ts';

export interface ArchiveOptions {
  account: string;
  /** Of documents while they are collected; removed in the end. */
  workDir: string;
  signal: AbortSignal;
  onProgress?: OnProgress | undefined;
}

/** Writes an account's data as one `.tar.zst` to `path`. Whatever ends it early, nothing is left of it. */
export async function exportToArchive(
  deps: ExportDeps,
  options: ArchiveOptions & { path: string },
): Promise<WrittenArchive> {
  return withSnapshot(deps, options, (snapshot, folder) => writeArchive(deps, { ...options, snapshot, folder }));
}

/**
 * Puts an account's `.tar.zst` into a directory, under the user's name. One that is there already and holds the same is
 * left as it is, so that an interrupted export of many goes on where it was.
 */
export async function exportToDirectory(
  deps: ExportDeps,
  options: ArchiveOptions & { directory: string },
): Promise<ExportSummary> {
  return withSnapshot(deps, options, async (snapshot, folder) => {
    const path = join(options.directory, `${folderNameOf(snapshot.account.username)}${ARCHIVE_SUFFIX}`);
    const present = await openTarArchive(path).catch(() => undefined);
    if (present && holdsTheSame(present.manifest, snapshot)) return summarise(snapshot, present.manifest, path);
    const unfinished = `${path}.unfinished`;
    await mkdir(options.directory, { recursive: true });
    const { summary } = await writeArchive(deps, { ...options, snapshot, folder, path: unfinished });
    await rename(unfinished, path);
    return { ...summary, path };
  });
}

/** Files are written once and never changed, so their names and sizes tell. */
function holdsTheSame(manifest: Manifest, snapshot: Snapshot): boolean {
  const expected = manifestOf(
    snapshot,
    snapshot.blobs.map(({ key, bytes }) => ({ path: pathOfBlob(key), bytes, sha256: '' })),
  );
  const files = manifest.files.map((file, index) => {
    return index < snapshot.documents.length ? file : { ...file, sha256: '' };
  });
  return isDeepStrictEqual({ ...manifest, files }, expected);
}

async function withSnapshot<T>(
  deps: ExportDeps,
  { account: id, workDir, signal }: ArchiveOptions,
  use: (snapshot: Snapshot, folder: string) => Promise<T>,
): Promise<T> {
  const account = await accountOf(deps, id);
  await mkdir(workDir, { recursive: true });
  const folder = await mkdtemp(join(workDir, 'export-'));
  try {
    return await use(await takeSnapshot(deps, { account, folder, signal }), folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
