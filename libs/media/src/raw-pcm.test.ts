import { expect, test } from 'vitest';
import { fromS16le, readS16le, toS16le } from './raw-pcm.ts';

test('f32 becomes s16le and, without another loss, f32 again; what is too loud is clipped', () => {
  const bytes = toS16le(Float32Array.from([0, 0.5, -0.5, 1, -1, 2, -2, 1e-5]));
  const samples = fromS16le(bytes);
  expect([...samples]).toEqual([0, 0.5, -0.5, 32_767 / 32_768, -1, 32_767 / 32_768, -1, 0]);
  expect(toS16le(samples)).toEqual(bytes);
});

test('samples that a stream cuts are put together', async () => {
  const bytes = toS16le(Float32Array.from({ length: 100 }, (_, index) => index / 100));
  const cut = async function* () {
    for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
  };
  const pieces = await Array.fromAsync(readS16le(cut()));
  expect(pieces.flatMap((piece) => [...piece])).toEqual([...fromS16le(bytes)]);
});
