import { promisify } from 'node:util';
import { constants, type ZstdOptions, zstdCompress, zstdDecompress } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { MANIFEST_MAX_BYTES, MANIFEST_NAME } from './manifest.ts';

/**
 * A `.tar.zst` of ours is an ordinary one, made of three zstd frames: all entries but the manifest; the manifest, which is
 * known when everything else has been written; and a skippable frame that says where the manifest begins. So it is written
 * in one go, and a reader knows what it should hold before it reads it.
 */
export const ARCHIVE_SUFFIX = '.tar.zst';

/** The checksum of a frame lets a reader notice a flipped bit. */
export const ZSTD_OPTIONS: ZstdOptions = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

/** Entries carry no owner and no time: the same data make the same archive. */
export const ENTRY_HEADER = { mode: 0o600, mtime: new Date(0), type: 'file' } as const;

export const TRAILER_BYTES = 24;
const SKIPPABLE_MAGIC = 0x184d2a50;
const TRAILER_TAG = 'AIGOLOS1';
const TRAILER_CONTENT_BYTES = 16;

/** Source of the frame's layout: RFC 8878, 3.1.2. */
export function writeTrailer(manifestOffset: number): Buffer {
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  trailer.writeUInt32LE(TRAILER_CONTENT_BYTES, 4);
  trailer.writeBigUInt64LE(BigInt(manifestOffset), 8);
  trailer.write(TRAILER_TAG, 16, 'latin1');
  return trailer;
}

/** Where the manifest begins; nothing where this is no trailer of ours. */
export function readTrailer(trailer: Buffer): number | undefined {
  const isOurs =
    trailer.length === TRAILER_BYTES &&
    trailer.readUInt32LE(0) === SKIPPABLE_MAGIC &&
    trailer.readUInt32LE(4) === TRAILER_CONTENT_BYTES &&
    trailer.toString('latin1', 16) === TRAILER_TAG;
  return isOurs ? Number(trailer.readBigUInt64LE(8)) : undefined;
}

/** The frame of the manifest, with the mark that ends a tar. */
export async function writeManifestFrame(folder: string, manifest: string): Promise<Buffer> {
  const tar = pack();
  tar.entry({ ...ENTRY_HEADER, name: `${folder}/${MANIFEST_NAME}` }, manifest);
  tar.finalize();
  return promisify(zstdCompress)(Buffer.concat((await Array.fromAsync(tar)) as Buffer[]), ZSTD_OPTIONS);
}

/** The manifest and the folder it lies in. @throws where the frame holds anything else, or too much. */
export async function readManifestFrame(frame: Buffer): Promise<{ folder: string; text: string }> {
  const tar = extract();
  tar.end(await promisify(zstdDecompress)(frame, { maxOutputLength: MANIFEST_MAX_BYTES }));
  let found: { folder: string; text: string } | undefined;
  for await (const entry of tar) {
    const { name, type } = entry.header;
    if (found || type !== 'file' || !name.endsWith(`/${MANIFEST_NAME}`)) throw new Error(`${name} is not its manifest`);
    const text = Buffer.concat((await Array.fromAsync(entry)) as Buffer[]).toString('utf8');
    found = { folder: name.slice(0, -MANIFEST_NAME.length - 1), text };
  }
  if (!found) throw new Error('it has no manifest');
  return found;
}
