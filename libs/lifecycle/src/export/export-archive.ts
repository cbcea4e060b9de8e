import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { createZstdCompress } from 'node:zlib';
import { pack } from 'tar-stream';
import { folderNameOf } from '../archive/folder-name.ts';
import { type ArchivedFile, type Manifest, pathOfBlob, writeManifest } from '../archive/manifest.ts';
import { type Measured, metered } from '../archive/metered.ts';
import { ARCHIVE_SUFFIX, ENTRY_HEADER, writeManifestFrame, writeTrailer, ZSTD_OPTIONS } from '../archive/tar-format.ts';
import { openTarArchive } from '../archive/tar-reader.ts';
import { countBytes, readUnlessGone } from './blobs.ts';
import { accountOf, type ExportDeps, type Snapshot, takeSnapshot } from './snapshot.ts';
import { type ExportSummary, manifestOf, type OnProgress, summarise } from './summary.ts';

export interface ArchiveOptions {
  account: string;
  /** Of documents while they are collected; removed in the end. */
  workDir: string;
  signal: AbortSignal;
  onProgress?: OnProgress | undefined;
}

/** What was exported, and the archive itself. */
export interface WrittenArchive {
  summary: ExportSummary;
  archive: Measured;
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

interface Writing extends ArchiveOptions {
  path: string;
  snapshot: Snapshot;
  /** Where the snapshot's documents lie. */
  folder: string;
}

async function writeArchive(deps: ExportDeps, writing: Writing): Promise<WrittenArchive> {
  const { path, snapshot, signal } = writing;
  let manifest: Manifest | undefined;
  const { stream, measured } = metered(
    archiveBytes(deps, writing, (whole) => {
      manifest = whole;
    }),
  );
  try {
    await pipeline(stream, createWriteStream(path, { mode: 0o600, flush: true }), { signal });
    return { summary: summarise(snapshot, manifest as unknown as Manifest, path), archive: measured() };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** See tar-format.ts for the three parts. */
async function* archiveBytes(
  deps: ExportDeps,
  writing: Writing,
  onManifest: (manifest: Manifest) => void,
): AsyncGenerator<Uint8Array> {
  const { snapshot } = writing;
  const files: ArchivedFile[] = [];
  let offset = 0;
  for await (const chunk of compressedEntries(deps, writing, files)) {
    offset += chunk.length;
    yield chunk;
  }
  const manifest = manifestOf(snapshot, files);
  onManifest(manifest);
  yield await writeManifestFrame(folderNameOf(snapshot.account.username), writeManifest(manifest));
  yield writeTrailer(offset);
}

async function* compressedEntries(
  deps: ExportDeps,
  writing: Writing,
  files: ArchivedFile[],
): AsyncGenerator<Uint8Array> {
  const tar = pack();
  const filling = fill(tar, { deps, writing, files }).catch((error: unknown) => tar.destroy(error as Error));
  const zstd = createZstdCompress(ZSTD_OPTIONS);
  const compressing = pipeline(tar as unknown as Readable, zstd);
  // Told by the reading of what comes out.
  compressing.catch(() => {});
  yield* zstd as AsyncIterable<Uint8Array>;
  await filling;
}

async function fill(
  tar: ReturnType<typeof pack>,
  { deps, writing, files }: { deps: ExportDeps; writing: Writing; files: ArchivedFile[] },
): Promise<void> {
  const { snapshot, folder, onProgress } = writing;
  const root = folderNameOf(snapshot.account.username);
  const add = async (file: { path: string; bytes: number }, content: AsyncIterable<Uint8Array>) => {
    const header = { ...ENTRY_HEADER, name: `${root}/${file.path}`, size: file.bytes };
    await pipeline(content, tar.entry(header) as unknown as NodeJS.WritableStream);
  };
  for (const document of snapshot.documents) {
    await add(document, createReadStream(join(folder, document.path)) as AsyncIterable<Uint8Array>);
  }
  const count = countBytes(snapshot.blobs, onProgress);
  for (const { key, bytes } of snapshot.blobs) {
    const content = await readUnlessGone(deps.blobs, key);
    if (!content) continue;
    const { stream, measured } = metered(content, count);
    await add({ path: pathOfBlob(key), bytes }, stream);
    files.push({ path: pathOfBlob(key), ...measured() });
  }
  // No mark of the end yet: the manifest follows.
  tar.push(null);
}
