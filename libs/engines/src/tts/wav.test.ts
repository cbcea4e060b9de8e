import { describe, expect, test } from 'vitest';
import { wavOf } from '../../test/wav.ts';
import { readWav } from './wav.ts';

const SAMPLES = Float32Array.from({ length: 100 }, (_, index) => (index - 50) / 64);

async function read(bytes: Buffer, chunkBytes = bytes.length) {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  async function* arriving() {
    yield* chunks;
  }
  const audio = await Array.fromAsync(readWav(arriving()));
  return {
    rates: new Set(audio.map(({ sampleRateHz }) => sampleRateHz)),
    samples: audio.flatMap((a) => [...a.samples]),
  };
}

describe('readWav', () => {
  test.each([1, 3, 7, 45, 1_000])('reads 16-bit samples however the bytes arrive (%d at once)', async (chunkBytes) => {
    const { rates, samples } = await read(wavOf(SAMPLES, { sampleRateHz: 22_050 }), chunkBytes);
    expect(samples).toEqual([...SAMPLES]);
    expect([...rates]).toEqual([22_050]);
  });

  test('reads float samples, and the extended form of the header', async () => {
    expect((await read(wavOf(SAMPLES, { float: true }))).samples).toEqual([...SAMPLES]);
    expect((await read(wavOf(SAMPLES, { extensible: true }))).samples).toEqual([...SAMPLES]);
  });

  test('mixes channels into one', async () => {
    const stereo = Float32Array.from([0.5, 0, -0.5, 0.25]);
    expect((await read(wavOf(stereo, { channels: 2 }))).samples).toEqual([0.25, -0.125]);
  });

  test('passes over other chunks, also those of odd length, and what follows the samples', async () => {
    const { samples } = await read(wavOf(SAMPLES, { before: Buffer.from('odd'), after: Buffer.from('tail') }), 5);
    expect(samples).toEqual([...SAMPLES]);
  });

  test.each([0, 0x7fff_f000, 0xffff_ffff])(
    'a size that the writer did not know (%d) means: to the end',
    async (size) => {
      expect((await read(wavOf(SAMPLES, { size }))).samples).toEqual([...SAMPLES]);
    },
  );

  test('no bytes are no audio', async () => {
    expect((await read(Buffer.alloc(0), 1)).samples).toEqual([]);
  });

  test('audio that ends before its size says so was cut', async () => {
    await expect(read(wavOf(SAMPLES, {}).subarray(0, -10))).rejects.toMatchObject({ retryable: true });
  });

  test.each([
    ['another format', Buffer.from('ID3 this is an mp3, or so it says'.repeat(3))],
    ['half a header', wavOf(SAMPLES, {}).subarray(0, 30)],
    ['8-bit samples', wavOf(SAMPLES, { bits: 8 })],
    ['a chunk of 4 GB', wavOf(SAMPLES, { before: Buffer.alloc(0), beforeSize: 0xffff_fff0 })],
  ])('%s is refused', async (_, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: 'TTS_ENGINE_REJECTED', retryable: false });
  });
});
