import { readdir, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import type { BlobStore } from '../src/index.ts';

/** What a blob store promises, whatever it lies on. `create` opens an empty one, with an empty spool. */
export function describeBlobStore(name: string, create: () => Promise<BlobStore>): void {
  describe(`a blob store on ${name}`, () => {
    let blobs: BlobStore;
    beforeEach(async () => {
      blobs = await create();
    });

    const receive = (content: string | Buffer) =>
      blobs.receive(Readable.from([Buffer.from(content)]), { maxBytes: 100_000_000 });
    const put = async (key: string, content: string | Buffer = key) => blobs.commit(await receive(content), key);
    const listed = async (id: string) =>
      (await Array.fromAsync(blobs.list(id))).toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const spooled = () => readdir(blobs.spoolDir).catch(() => []);

    test('keeps what was committed, with its size, SHA-256 and bytes, until it is replaced', async () => {
      const file = await blobs.receive(Readable.from([Buffer.from('hello '), Buffer.from('world')]), { maxBytes: 100 });
      expect(file).toMatchObject({
        bytes: 11,
        sha256: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
      });
      await blobs.commit(file, 'trn_1/input');
      expect(await text(await blobs.read('trn_1/input'))).toBe('hello world');
      expect(await blobs.withLocalFile('trn_1/input', (path) => readFile(path, 'utf8'))).toBe('hello world');
      expect(await blobs.size('trn_1/input')).toBe(11);
      await put('trn_1/input', 'bye');
      expect(await text(await blobs.read('trn_1/input'))).toBe('bye');
      expect(await spooled()).toEqual([]);
    });

    test('keeps empty files, and large ones byte by byte', async () => {
      const large = Buffer.alloc(20_000_000, 'a large file, in which no two parts are the same: 7');
      await put('trn_1/empty', '');
      await put('trn_1/large', large);
      expect(await listed('trn_1')).toEqual([
        { key: 'trn_1/empty', bytes: 0 },
        { key: 'trn_1/large', bytes: large.length },
      ]);
      expect(large.equals(await buffer(await blobs.read('trn_1/large')))).toBe(true);
    });

    test('tells of a missing blob before a byte of it is read', async () => {
      await put('trn_1/input');
      expect(await blobs.exists('trn_1/input')).toBe(true);
      expect(await blobs.exists('trn_1/output')).toBe(false);
      await expect(blobs.read('trn_1/output')).rejects.toThrow(Error);
      await expect(blobs.size('trn_1/output')).rejects.toThrow(Error);
      await expect(blobs.withLocalFile('trn_1/output', async () => 'used')).rejects.toThrow(Error);
    });

    test('an upload that is too large, or cut off, leaves nothing', async () => {
      const large = Readable.from([Buffer.alloc(60), Buffer.alloc(60)]);
      await expect(blobs.receive(large, { maxBytes: 100 })).rejects.toMatchObject({ code: 'AUDIO_TOO_LARGE' });
      const cutOff = new Readable({ read() {} });
      cutOff.push(Buffer.alloc(10));
      const receiving = blobs.receive(cutOff, { maxBytes: 100 });
      cutOff.destroy(new Error('connection reset'));
      await expect(receiving).rejects.toThrow('connection reset');
      expect(await spooled()).toEqual([]);
      expect(await Array.fromAsync(blobs.recordIds())).toEqual([]);
    });

    test('lists the blobs of one record with their sizes, and of no other', async () => {
      for (const key of ['trn_1/input', 'trn_1/parts/1.mp3', 'trn_10/input']) await put(key);
      expect(await listed('trn_1')).toEqual([
        { key: 'trn_1/input', bytes: 11 },
        { key: 'trn_1/parts/1.mp3', bytes: 17 },
      ]);
      expect(await listed('trn_2')).toEqual([]);
    });

    test('deletes one blob; deleting none is success', async () => {
      await put('trn_1/input');
      await put('trn_1/output');
      for (let time = 0; time < 2; time += 1) await blobs.delete('trn_1/input');
      expect(await listed('trn_1')).toEqual([{ key: 'trn_1/output', bytes: 12 }]);
      await blobs.delete('trn_1/output');
      expect(await Array.fromAsync(blobs.recordIds())).toEqual([]);
    });

    test('deletes all blobs of one record, however many, and of no other; deleting none is success', async () => {
      const keys = Array.from({ length: 50 }, (_, index) => `trn_1/part-${index}`);
      await Promise.all([...keys, 'trn_10/input'].map((key) => put(key)));
      await blobs.deleteRecord('trn_1');
      await blobs.deleteRecord('trn_1');
      expect(await listed('trn_1')).toEqual([]);
      expect(await Array.fromAsync(blobs.recordIds())).toEqual(['trn_10']);
    });

    test('knows the ids of all records, each once, however many there are', async () => {
      expect(await Array.fromAsync(blobs.recordIds())).toEqual([]);
      const ids = Array.from({ length: 1_100 }, (_, index) => `trn_${String(index).padStart(4, '0')}`);
      for (let index = 0; index < ids.length; index += 50) {
        await Promise.all(ids.slice(index, index + 50).map((id) => put(`${id}/input`)));
      }
      expect((await Array.fromAsync(blobs.recordIds())).toSorted()).toEqual(ids);
    });

    test.each(['', '.', '..', '/', 'trn_1/..', 'trn_1/input'])('refuses %j as the id of a record', async (id) => {
      await put('trn_1/input');
      await expect(blobs.deleteRecord(id)).rejects.toThrow(TypeError);
      expect(() => blobs.list(id)).toThrow(TypeError);
      expect(await blobs.exists('trn_1/input')).toBe(true);
    });

    test.each(['', 'input', '/input', 'trn_1/', 'trn_1/..', 'trn_1/../../input', 'trn_1/a/./b', 'trn_1//input'])(
      'refuses %j as a key',
      async (key) => {
        const file = await receive('x');
        await expect(blobs.commit(file, key)).rejects.toThrow(TypeError);
        await expect(blobs.read(key)).rejects.toThrow(TypeError);
        await expect(blobs.delete(key)).rejects.toThrow(TypeError);
        expect(await Array.fromAsync(blobs.recordIds())).toEqual([]);
      },
    );
  });
}
