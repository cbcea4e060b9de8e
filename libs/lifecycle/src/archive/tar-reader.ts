import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { messageOf } from '@aigolos/runtime';
import { extract } from 'tar-stream';
import type { ArchiveSource, RawEntry } from './archive-source.ts';
import { folderNameOf } from './folder-name.ts';
import { countInflated } from './inflated.ts';
import { MANIFEST_MAX_BYTES, type Manifest, readManifest } from './manifest.ts';
import { refuse } from './refusal.ts';
import { readManifestFrame, readTrailer, TRAILER_BYTES } from './tar-format.ts';

/**
 * Opens a `.tar.zst`: its manifest is read now, its entries when they are asked for.
 * @throws ValidationError `ARCHIVE_INVALID` where it is cut short, or none of ours.
 */
export async function openTarArchive(path: string): Promise<ArchiveSource> {
  const name = basename(path);
  const { manifest, bodyBytes } = await readEnd(path, name);
  const folder = folderNameOf(manifest.account.username);
  return { name, manifest, entries: () => entriesOf({ path, name, manifest, bodyBytes, folder }) };
}

async function readEnd(path: string, name: string): Promise<{ manifest: Manifest; bodyBytes: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const end = size - TRAILER_BYTES;
    const offset = end > 0 ? readTrailer(await readAt(file, end, TRAILER_BYTES)) : undefined;
    if (!offset || offset >= end || end - offset > MANIFEST_MAX_BYTES) {
      throw refuse(name, 'it is cut short, or was not made by aigolos export');
    }
    const frame = await readAt(file, offset, end - offset);
    const { folder, text } = await readManifestFrame(frame).catch((error: unknown) => {
      throw refuse(name, `its manifest cannot be read (${messageOf(error)})`);
    });
    const manifest = readManifest(name, text);
    if (folder !== folderNameOf(manifest.account.username)) {
      throw refuse(name, `its folder ${JSON.stringify(folder)} is not that of ${manifest.account.username}`);
    }
    return { manifest, bodyBytes: offset };
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function* entriesOf(archive: {
  path: string;
  name: string;
  manifest: Manifest;
  bodyBytes: number;
  folder: string;
}): AsyncGenerator<RawEntry> {
  const { path, name, manifest, bodyBytes, folder } = archive;
  const tar = extract();
  const reading = pipeline(
    createReadStream(path, { end: bodyBytes - 1 }),
    createZstdDecompress(),
    countInflated(manifest, bodyBytes),
    tar as unknown as NodeJS.WritableStream,
  );
  // Told by the entries.
  reading.catch(() => {});
  try {
    for await (const entry of tar) {
      const { name: given, type, size } = entry.header;
      const inside = given.startsWith(`${folder}/`) ? given.slice(folder.length + 1) : given;
      yield { path: inside, type, bytes: size, content: entry as AsyncIterable<Uint8Array> };
      entry.resume();
    }
  } catch (error) {
    throw refuse(name, `it cannot be read to its end (${messageOf(error)})`);
  }
}
