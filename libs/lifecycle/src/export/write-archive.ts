import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { pack } from 'tar-stream';
import { folderNameOf } from '../archive/folder-name.ts';
import { type ArchivedFile, type Manifest, pathOfBlob, writeManifest } from '../archive/manifest.ts';
import { type Measured, metered } from '../archive/metered.ts';
import { ENTRY_HEADER, writeManifestFrame, writeTrailer, ZSTD_OPTIONS } from '../archive/tar-format.ts';
import { countBytes, readUnlessGone } from './blobs.ts';
import type { ExportDeps, Snapshot } from './snapshot.ts';
import { type ExportSummary, manifestOf, type OnProgress, summarise } from './summary.ts';

/** What was exported, and the archive itself. */
export interface WrittenArchive {
  summary: ExportSummary;
  archive: Measured;
}

export interface Writing {
  path: string;
  signal: AbortSignal;
  onProgress?: OnProgress | undefined;
  snapshot: Snapshot;
  /** Where the snapshot's documents lie. */
  folder: string;
}

/** Writes a snapshot's documents and the files that belong to it. Whatever ends it early, nothing is left at its path. */
export async function writeArchive(deps: ExportDeps, writing: Writing): Promise<WrittenArchive> {
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
