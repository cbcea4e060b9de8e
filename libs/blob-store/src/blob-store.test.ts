import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { useS3 } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeBlobStore } from '../test/blob-store.conformance.ts';
import { type BlobStore, openBlobStore } from './index.ts';

const s3 = useS3();
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aigolos-blob-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const onDisk = () => openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: dir, S3_REGION: 'us-east-1' });

describeBlobStore('disk', async () => onDisk());
describeBlobStore('S3', async () => openBlobStore({ ...(await s3.newBucket()), BLOB_DIR: dir }));

describe('a blob store on disk', () => {
  let blobs: BlobStore;
  beforeEach(() => {
    blobs = onDisk();
  });
  const receive = (content: string) => blobs.receive(Readable.from([Buffer.from(content)]), { maxBytes: 9 });

  test('commits by moving the file itself, so that nobody ever sees half a blob', async () => {
    const file = await receive('whole');
    const { ino } = await stat(file.path);
    await blobs.commit(file, 'trn_1/input');
    expect((await stat(join(dir, 'blobs', 'trn_1', 'input'))).ino).toBe(ino);
    expect(await readdir(join(dir, 'spool'))).toEqual([]);
  });

  test('commits into a folder that is being emptied', async () => {
    for (let time = 0; time < 50; time += 1) {
      await blobs.commit(await receive('old'), 'trn_1/old');
      const file = await receive('new');
      await Promise.all([blobs.delete('trn_1/old'), blobs.commit(file, 'trn_1/new')]);
      expect(await blobs.size('trn_1/new')).toBe(3);
      await blobs.delete('trn_1/new');
    }
  });

  test('sweeps old spooled files only', async () => {
    const old = await receive('a');
    await receive('b');
    await utimes(old.path, new Date(0), new Date(0));
    expect(await blobs.sweepSpool(60_000)).toBe(1);
    expect(await readdir(join(dir, 'spool'))).toHaveLength(1);
  });

  test('takes no file beside its own for a record', async () => {
    await writeFile(join(dir, 'unrelated'), '');
    expect(await Array.fromAsync(blobs.recordIds())).toEqual([]);
  });
});
