import { describe, expect, test } from 'vitest';
import { concat, decodeAll, KENNEDY, loudness } from '../test/clips.ts';
import { type ChunkOptions, chunkAtPauses } from './chunk-at-pauses.ts';

describe('chunkAtPauses', () => {
  test('the chunks put together are the stream, none is too long, and each knows where it begins (200 random streams)', async () => {
    const random = createRandom(20_260_101);
    for (let round = 0; round < 200; round += 1) {
      const options = { sampleRateHz: 50 + random.below(2_000), maxSeconds: 0.02 + random.next() * 3 };
      const stream = Float32Array.from({ length: random.below(20_000) }, () => random.next() * 2 - 1);
      const chunks = await Array.fromAsync(chunkAtPauses(inPieces(stream, random), options));
      expect(concat(chunks.map((chunk) => chunk.samples))).toEqual(stream);
      let start = 0;
      for (const { startSeconds, samples } of chunks) {
        expect(samples.length).toBeGreaterThan(0);
        expect(samples.length).toBeLessThanOrEqual(Math.max(1, options.maxSeconds * options.sampleRateHz));
        expect(startSeconds).toBe(start / options.sampleRateHz);
        start += samples.length;
      }
    }
  });

  test('the cuts do not depend on how the stream was divided, so that a second attempt finds the same chunks', async () => {
    const speech = await decodeAll(KENNEDY);
    const options = { sampleRateHz: 16_000, maxSeconds: 4 };
    const starts = await startsOf(inPieces(speech, createRandom(1)), options);
    expect(await startsOf(inPieces(speech, createRandom(2)), options)).toEqual(starts);
    expect(starts.length).toBeGreaterThan(2);
  });

  test('a cut lies in the pause between two sounds', async () => {
    // 3 s of noise, half a second of silence, 3 s of noise.
    const random = createRandom(7);
    const stream = Float32Array.from({ length: 65_000 }, (_, index) =>
      index >= 30_000 && index < 35_000 ? 0 : random.next() - 0.5,
    );
    const starts = await startsOf(inPieces(stream, random), { sampleRateHz: 10_000, maxSeconds: 5 });
    expect(starts[1]).toBeGreaterThan(3);
    expect(starts[1]).toBeLessThan(3.5);
  });

  test('real speech is cut where it is quiet', async () => {
    const speech = await decodeAll(KENNEDY);
    const starts = await startsOf(inPieces(speech, createRandom(3)), { sampleRateHz: 16_000, maxSeconds: 4 });
    for (const start of starts.slice(1)) {
      const around = speech.subarray((start - 0.1) * 16_000, (start + 0.1) * 16_000);
      expect(loudness(around)).toBeLessThan(loudness(speech) / 3);
    }
  });

  test('what fits into one window stays whole, and of silence the longest chunks are made', async () => {
    const options = { sampleRateHz: 1_000, maxSeconds: 30 };
    expect(await startsOf(inPieces(new Float32Array(30_000), createRandom(4)), options)).toEqual([0]);
    const [, second] = await startsOf(inPieces(new Float32Array(60_000), createRandom(5)), options);
    expect(second).toBeGreaterThan(29);
  });

  test('an empty stream has no chunks', async () => {
    expect(
      await startsOf(inPieces(new Float32Array(0), createRandom(6)), { sampleRateHz: 16_000, maxSeconds: 30 }),
    ).toEqual([]);
  });

  test('stopping early ends the source', async () => {
    let ended = false;
    const source = async function* (): AsyncGenerator<Float32Array> {
      try {
        for (;;) yield new Float32Array(1_000);
      } finally {
        ended = true;
      }
    };
    for await (const _ of chunkAtPauses(source(), { sampleRateHz: 1_000, maxSeconds: 2 })) break;
    expect(ended).toBe(true);
  });
});

async function startsOf(stream: AsyncIterable<Float32Array>, options: ChunkOptions): Promise<number[]> {
  const chunks = await Array.fromAsync(chunkAtPauses(stream, options));
  return chunks.map((chunk) => chunk.startSeconds);
}

interface Random {
  next(): number;
  below(limit: number): number;
}

async function* inPieces(stream: Float32Array, random: Random): AsyncGenerator<Float32Array> {
  for (let at = 0; at < stream.length; ) {
    const length = random.below(3_000);
    yield stream.slice(at, at + length);
    at += length;
  }
}

/** Mulberry32: a failing round can be run again. */
function createRandom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (limit) => Math.floor(next() * limit) };
}
