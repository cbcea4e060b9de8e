import { access, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import type { Disk } from 'flydrive';
import { removeEmptyFolder } from './local-files.ts';
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
  /** In bytes. @throws where the blob does not exist. */
  size(key: string): Promise<number>;
  /** Gives a path on local disk that holds the blob while `use` runs; ffmpeg must seek in some containers. */
  withLocalFile<T>(key: string, use: (path: string) => Promise<T>): Promise<T>;
  /** The blobs of one record, with their sizes, in no order that one could rely on; none where it has none. */
  list(recordId: string): AsyncIterable<BlobEntry>;
  /** Removes one blob. Removing none is success. */
  delete(key: string): Promise<void>;
  /** Removes all blobs of one record. Removing none is success. */
  deleteRecord(recordId: string): Promise<void>;
  /** Ids of the records that have blobs, in pages as the store gives them. */
  recordIds(): AsyncIterable<string>;
  /** Removes spooled files that killed processes left; returns how many. */
  sweepSpool(olderThanMs: number): Promise<number>;
}

export interface BlobEntry {
  key: string;
  bytes: number;
}

export interface BlobStoreParts {
  disk: Disk;
  spoolDir: string;
  /** Makes a file on local disk a blob, whole or not at all; the file is gone then. */
  store: (file: SpooledFile, key: string) => Promise<void>;
  list: (recordId: string) => AsyncIterable<BlobEntry>;
  /** The blob's own path, where blobs are files on a local disk. */
  localPath?: (key: string) => string;
}

const DELETED_AT_ONCE = 20;

/** Keys begin with the record's id (`trn_…/input`), so all that belongs to a record can be found by its id alone. */
export function createBlobStore({ disk, spoolDir, store, list, localPath }: BlobStoreParts): BlobStore {
  const receive: BlobStore['receive'] = (source, options) => spool(source, { dir: spoolDir, ...options });

  async function remove(key: string): Promise<void> {
    checkKey(key);
    await disk.delete(key);
    if (localPath) await removeEmptyFolder(dirname(localPath(key)));
  }

  return {
    spoolDir,
    receive,
    async commit(file, key) {
      checkKey(key);
      await store(file, key);
    },
    discard: (file) => rm(file.path, { force: true }),
    async read(key) {
      checkKey(key);
      // Opened here, so that a missing blob is told now and not in the midst of an answer.
      if (localPath) return (await open(localPath(key))).createReadStream();
      return disk.getStream(key);
    },
    exists: (key) => disk.exists(key),
    size: async (key) => (await disk.getMetaData(key)).contentLength,
    async withLocalFile(key, use) {
      checkKey(key);
      if (localPath) {
        await access(localPath(key));
        return use(localPath(key));
      }
      await mkdir(spoolDir, { recursive: true });
      const copy = await receive(await disk.getStream(key), { maxBytes: Number.POSITIVE_INFINITY });
      try {
        return await use(copy.path);
      } finally {
        await rm(copy.path, { force: true });
      }
    },
    list(recordId) {
      checkRecordId(recordId);
      return list(recordId);
    },
    delete: remove,
    async deleteRecord(recordId) {
      checkRecordId(recordId);
      if (localPath) return disk.deleteAll(recordId);
      for await (const keys of batches(list(recordId))) await Promise.all(keys.map(({ key }) => remove(key)));
    },
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

const RECORD_ID = /^[\w-]+$/;
const KEY = /^[\w-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.-]+)+$/;

/** An empty id would mean everything, and one with a path in it something else. */
function checkRecordId(recordId: string): void {
  if (!RECORD_ID.test(recordId)) throw new TypeError(`${JSON.stringify(recordId)} is no id of a record`);
}

function checkKey(key: string): void {
  if (!KEY.test(key)) throw new TypeError(`${JSON.stringify(key)} is no key of a blob, such as trn_1/input`);
}

async function* batches(entries: AsyncIterable<BlobEntry>): AsyncGenerator<BlobEntry[]> {
  let batch: BlobEntry[] = [];
  for await (const entry of entries) {
    if (batch.push(entry) < DELETED_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
