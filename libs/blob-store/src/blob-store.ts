import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Disk } from 'flydrive';
import { type SpooledFile, spool, sweepSpool } from './spool.ts';

export interface BlobStore {
  /** A folder on local disk for what is being made; what killed processes leave in it is swept. */
  readonly spoolDir: string;
  /** Streams a source to local disk; see {@link spool}. Not a blob until it is committed. */
  receive(source: Readable, options: { maxBytes: number; signal?: AbortSignal | undefined }): Promise<SpooledFile>;
  /** Makes a spooled file a blob, whole or not at all; replaces one of the same key. */
  commit(file: SpooledFile, key: string): Promise<void>;
  discard(file: SpooledFile): Promise<void>;
  /** @throws where the blob does not exist. */
  read(key: string): Promise<Readable>;
  exists(key: string): Promise<boolean>;
  /** Gives a path on local disk that holds the blob while `use` runs; ffmpeg must seek in some containers. */
  withLocalFile<T>(key: string, use: (path: string) => Promise<T>): Promise<T>;
  /** Removes all blobs of one record. Removing none is success. */
  deleteRecord(recordId: string): Promise<void>;
  /** Ids of the records that have blobs, in pages as the store gives them. */
  recordIds(): AsyncIterable<string>;
  /** Removes spooled files that killed processes left; returns how many. */
  sweepSpool(olderThanMs: number): Promise<number>;
}

export interface BlobStoreParts {
  disk: Disk;
  spoolDir: string;
  /** The blob's own path, where blobs are files on a local disk. */
  localPath?: (key: string) => string;
}

/** Keys begin with the record's id (`trn_…/input`), so all that belongs to a record can be found by its id alone. */
export function createBlobStore({ disk, spoolDir, localPath }: BlobStoreParts): BlobStore {
  const receive: BlobStore['receive'] = (source, options) => spool(source, { dir: spoolDir, ...options });
  return {
    spoolDir,
    receive,
    async commit(file, key) {
      if (localPath) return disk.moveFromFs(file.path, key);
      await disk.putStream(key, createReadStream(file.path), { contentLength: file.bytes });
      await rm(file.path, { force: true });
    },
    discard: (file) => rm(file.path, { force: true }),
    read: (key) => disk.getStream(key),
    exists: (key) => disk.exists(key),
    async withLocalFile(key, use) {
      if (localPath) return use(localPath(key));
      await mkdir(spoolDir, { recursive: true });
      const copy = await receive(await disk.getStream(key), { maxBytes: Number.POSITIVE_INFINITY });
      try {
        return await use(copy.path);
      } finally {
        await rm(copy.path, { force: true });
      }
    },
    deleteRecord: (recordId) => disk.deleteAll(`${recordId}/`),
    async *recordIds() {
      let paginationToken: string | undefined;
      do {
        const page = await disk.listAll('', paginationToken === undefined ? {} : { paginationToken });
        for (const entry of page.objects) if (entry.isDirectory) yield entry.name;
        paginationToken = page.paginationToken;
      } while (paginationToken);
    },
    sweepSpool: (olderThanMs) => sweepSpool(spoolDir, olderThanMs),
  };
}
