import { describe, expect, test } from 'vitest';
import { concat, decodeAll, KENNEDY, loudness } from '../test/clips.ts';
import { type ChunkOptions, chunkAtPauses, type PcmChunk, type SpeechDetector } from './chunk-at-pauses.ts';

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

describe('chunkAtPauses with a detector of speech', () => {
  const options = () => ({ sampleRateHz: 1_000, maxSeconds: 5, detector: loudnessDetector() });

  test('whatever is loud is in exactly one chunk, longer silence in none, and each cut is in a pause (100 random streams)', async () => {
    const random = createRandom(20_260_102);
    for (let round = 0; round < 100; round += 1) {
      const stream = talk(random);
      const chunks = await Array.fromAsync(chunkAtPauses(inPieces(stream, random), options()));
      expectAllHeardOnce(chunks, stream);
      for (const { samples, endsInPause } of chunks) {
        expect(samples.length).toBeLessThanOrEqual(5_000);
        expect(endsInPause).toBe(true);
        expect(silentAt(samples, 'start')).toBeLessThanOrEqual(600);
        expect(silentAt(samples, 'end')).toBeLessThanOrEqual(600);
      }
    }
  });

  test('the chunks after the end of any chunk are the same when the stream is taken up there, however it was divided', async () => {
    const random = createRandom(20_260_103);
    for (let round = 0; round < 20; round += 1) {
      const stream = talk(random, { pauses: round % 2 === 0 });
      // What it says depends on what it heard since the last reset, as with a real one.
      const tired = () => ({ ...options(), detector: loudnessDetector({ tires: true }) });
      const whole = await spansOf(inPieces(stream, random), tired());
      for (const [index, [, startSeconds]] of whole.entries()) {
        const rest = await spansOf(inPieces(stream, random), { ...tired(), startSeconds });
        expect(rest).toEqual(whole.slice(index + 1));
      }
    }
  });

  test('without any pause it cuts at the quietest place and says so', async () => {
    const random = createRandom(9);
    const stream = Float32Array.from({ length: 12_000 }, () => 0.5 + random.next() / 2);
    stream.fill(0.2, 4_000, 4_400);
    const [first] = await Array.fromAsync(chunkAtPauses(inPieces(stream, random), options()));
    expect(first?.endsInPause).toBe(false);
    expect(first?.endSeconds).toBeGreaterThan(4);
    expect(first?.endSeconds).toBeLessThan(4.4);
  });

  test('a chunk that is ended sooner has what follows heard again, from a quiet place on', async () => {
    const stream = new Float32Array(12_000).fill(0.5);
    stream.fill(0.2, 2_800, 2_900);
    const chunks: PcmChunk[] = [];
    for await (const chunk of chunkAtPauses(inPieces(stream, createRandom(10)), options())) {
      if (chunks.length === 0) chunk.endNear(2.9);
      chunks.push(chunk);
    }
    expect(chunks[1]?.startSeconds).toBeGreaterThan(2.8);
    expect(chunks[1]?.startSeconds).toBeLessThan(2.9);
    expect(chunks.at(-1)?.endSeconds).toBe(12);
  });

  test('of a long silence nothing is in a chunk, whether it is between, before, after or all there is', async () => {
    const silence = new Float32Array(60_000);
    const word = new Float32Array(1_000).fill(0.5);
    const spans = await spansOf(inPieces(concat([silence, word, silence, word, silence]), createRandom(11)), options());
    expect(spans).toHaveLength(2);
    for (const [index, [start, end]] of spans.entries()) {
      const spoken = 60 + index * 61;
      expect(spoken - start).toBeGreaterThan(0.4);
      expect(spoken - start).toBeLessThan(0.7);
      expect(end - spoken).toBeGreaterThan(1.4);
      expect(end - spoken).toBeLessThan(1.7);
    }
    expect(await spansOf(inPieces(silence, createRandom(12)), options())).toEqual([]);
  });
});

/** Hears what is louder than 0.1. One that tires hears nothing for 0.2 s each time it has listened for a second. */
function loudnessDetector({ tires = false } = {}): SpeechDetector {
  let heardWindows = 0;
  return {
    windowSamples: 20,
    async detect(samples) {
      return Array.from({ length: samples.length / 20 }, (_, index) => {
        const isLoud = samples.subarray(index * 20, (index + 1) * 20).some((sample) => Math.abs(sample) > 0.1);
        heardWindows += 1;
        return isLoud && !(tires && heardWindows % 60 > 50) ? 1 : 0;
      });
    },
    reset() {
      heardWindows = 0;
    },
  };
}

/** Loud stretches of up to 2 s with silence of 0.3 to 6 s between them, or none. */
function talk(random: Random, { pauses = true } = {}): Float32Array {
  return concat(
    Array.from({ length: 30 }, (_, index) => {
      const isPause = pauses && index % 2 === 0;
      const length = isPause ? 300 + random.below(random.below(3) === 0 ? 6_000 : 500) : 100 + random.below(1_900);
      return Float32Array.from({ length }, () => (isPause ? 0 : 0.2 + random.next() / 2));
    }),
  );
}

function expectAllHeardOnce(chunks: PcmChunk[], stream: Float32Array): void {
  let end = 0;
  for (const { startSeconds, samples } of [
    ...chunks,
    { startSeconds: stream.length / 1_000, samples: new Float32Array() },
  ]) {
    const start = Math.round(startSeconds * 1_000);
    expect(start).toBeGreaterThanOrEqual(end);
    expect(stream.subarray(end, start).some((sample) => sample !== 0)).toBe(false);
    expect(samples).toEqual(stream.slice(start, start + samples.length));
    end = start + samples.length;
  }
}

function silentAt(samples: Float32Array, where: 'start' | 'end'): number {
  const silent = (where === 'start' ? samples : samples.toReversed()).findIndex((sample) => sample !== 0);
  return silent === -1 ? samples.length : silent;
}

async function spansOf(stream: AsyncIterable<Float32Array>, options: ChunkOptions): Promise<[number, number][]> {
  const chunks = await Array.fromAsync(chunkAtPauses(stream, options));
  return chunks.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]);
}

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
