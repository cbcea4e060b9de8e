import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobStore, openBlobStore } from './index.ts';

let dir: string;
let blobs: BlobStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aigolos-blob-'));
  blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: dir, S3_REGION: 'us-east-1' });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const filesIn = async (name: string) => readdir(join(dir, name)).catch(() => []);

describe('a file-system blob store', () => {
  test('keeps what was committed, with its size and SHA-256', async () => {
    const file = await blobs.receive(Readable.from([Buffer.from('hello '), Buffer.from('world')]), { maxBytes: 100 });
    expect(file.bytes).toBe(11);
    expect(file.sha256).toBe('b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9');
    await blobs.commit(file, 'trn_1/input');
    expect(await text(await blobs.read('trn_1/input'))).toBe('hello world');
    expect(await blobs.withLocalFile('trn_1/input', (path) => readFile(path, 'utf8'))).toBe('hello world');
    expect(await filesIn('spool')).toEqual([]);
  });

  test('refuses a file past the limit and leaves nothing', async () => {
    const source = Readable.from([Buffer.alloc(60), Buffer.alloc(60)]);
    await expect(blobs.receive(source, { maxBytes: 100 })).rejects.toMatchObject({ code: 'AUDIO_TOO_LARGE' });
    expect(await filesIn('spool')).toEqual([]);
  });

  test('leaves nothing when the source is cut off', async () => {
    const source = new Readable({ read() {} });
    source.push(Buffer.alloc(10));
    const receiving = blobs.receive(source, { maxBytes: 100 });
    source.destroy(new Error('connection reset'));
    await expect(receiving).rejects.toThrow('connection reset');
    expect(await filesIn('spool')).toEqual([]);
  });

  test('deletes all blobs of one record and no other, and deleting none is success', async () => {
    for (const key of ['trn_1/input', 'trn_1/extra', 'trn_2/input']) {
      await blobs.commit(await blobs.receive(Readable.from([Buffer.from(key)]), { maxBytes: 100 }), key);
    }
    await blobs.deleteRecord('trn_1');
    await blobs.deleteRecord('trn_1');
    expect(await blobs.exists('trn_1/input')).toBe(false);
    expect(await blobs.exists('trn_2/input')).toBe(true);
    expect(await Array.fromAsync(blobs.recordIds())).toEqual(['trn_2']);
  });

  test('sweeps old spooled files only', async () => {
    const old = await blobs.receive(Readable.from([Buffer.from('a')]), { maxBytes: 9 });
    await blobs.receive(Readable.from([Buffer.from('b')]), { maxBytes: 9 });
    await utimes(old.path, new Date(0), new Date(0));
    expect(await blobs.sweepSpool(60_000)).toBe(1);
    expect(await filesIn('spool')).toHaveLength(1);
  });

  test('has no records before the first blob', async () => {
    await writeFile(join(dir, 'unrelated'), '');
    expect(await Array.fromAsync(blobs.recordIds())).toEqual([]);
  });
});
