import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { countInflated } from './inflated.ts';

const MEGABYTE = Buffer.alloc(1024 ** 2);
const GIGABYTE = 1024 ** 3;

/** How many bytes came through, and the error that ended them. */
async function inflate(megabytes: number, listedBytes: number, compressedBytes: number) {
  let bytes = 0;
  const source = Readable.from(Array.from({ length: megabytes }, () => MEGABYTE));
  const count = new Writable({ write: (chunk: Buffer, _encoding, done) => done(void (bytes += chunk.length)) });
  const files = [{ path: 'files/trn_1/input', bytes: listedBytes, sha256: '' }];
  const error = await pipeline(source, countInflated({ files }, compressedBytes), count).then(
    () => undefined,
    (caught: Error) => caught.message,
  );
  return { bytes, error };
}

test('what an archive lists comes through whole', async () => {
  expect(await inflate(10, 10 * MEGABYTE.length, 1_000)).toEqual({ bytes: 10 * MEGABYTE.length, error: undefined });
});

test('what it does not list ends it at once', async () => {
  const { bytes, error } = await inflate(1_000, 10 * MEGABYTE.length, 1_000);
  expect(error).toBe('it inflates to more than its manifest lists');
  expect(bytes).toBeLessThanOrEqual((10 + 64 + 1) * MEGABYTE.length);
});

test('a thousand times its size ends it, from a gigabyte on, whatever it lists', async () => {
  const { bytes, error } = await inflate(2_048, 100 * GIGABYTE, 50_000);
  expect(error).toMatch(/more than 1000 times its size; .*import the folder/);
  expect(bytes).toBeLessThanOrEqual(GIGABYTE);
  expect((await inflate(1_500, 100 * GIGABYTE, 2e6)).error).toBeUndefined();
});
