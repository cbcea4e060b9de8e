import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TranscriptWord } from '@aigolos/contracts';
import type { AsrEngine, AsrTranscript } from '@aigolos/engines/asr';
import type { VoiceActivityDetector } from '@aigolos/engines/vad';
import { createMedia } from '@aigolos/media';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobContext } from '../test/job-context.ts';
import { createTranscribeProcessor } from './transcribe.processor.ts';

const RATE_HZ = 16_000;
const FRAME = RATE_HZ / 100;
const WORDS = 200;
const WORD_FRAMES = 40;
const WORD_SECONDS = WORD_FRAMES / 100;
const WORDS_A_SEGMENT = 8;
/** A rest of a word that is shorter is not heard, and not missed. */
const AUDIBLE_FRAMES = 8;
const CLOSURE_LEVEL = 0.05;
const UNMEASURED = { seek: 0, tokens: [], temperature: 0, avg_logprob: 0, compression_ratio: 1, no_speech_prob: 0 };

const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' });
const signal = new AbortController().signal;
let dir: string;
let path: string;

/**
 * Words without any pause for 80 s: each is as loud as its number says, and quietest in its middle, as at a "t".
 * So a cut at the quietest place goes through a word.
 */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aigolos-asr-'));
  path = join(dir, 'words.wav');
  const words = Array.from({ length: WORDS }, (_, word) => {
    const samples = new Float32Array(WORD_FRAMES * FRAME).fill(levelOf(word));
    return samples.fill(CLOSURE_LEVEL, 16 * FRAME, 24 * FRAME);
  });
  const pieces = async function* () {
    for (const samples of words) yield { samples, sampleRateHz: RATE_HZ };
  };
  await writeFile(path, (await media.encode(pieces(), { format: 'wav' }, signal)).stream);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const always: VoiceActivityDetector = {
  listen: () => ({
    windowSamples: 512,
    detect: async (samples) => new Uint8Array(samples.length / 512).fill(1),
    reset: () => {},
    end: () => {},
  }),
  close: async () => {},
};
const detectors = [
  ['that hears speech everywhere', always],
  ['that is missing', undefined],
] as const;

describe.each(detectors)('speech without a pause, by a detector %s', (_, vad) => {
  const run = (engine: AsrEngine, checkpoint?: unknown) => {
    const { context, kept } = jobContext({ model: 'reader' }, checkpoint);
    const processor = createTranscribeProcessor({
      engine,
      media,
      vad,
      blobs: { exists: async () => true, withLocalFile: (_key, use) => use(path) },
      maxSeconds: 1_000,
    });
    return { kept, outcome: processor(context) };
  };

  test('no word is lost, doubled or cut in two, and times are those of the file and in order', async () => {
    const { result } = await run(createReader()).outcome;
    expect(result.text).toBe(Array.from({ length: WORDS }, (__, word) => `w${word}`).join(' '));
    expect(result.segments.map(({ id }) => id)).toEqual([...result.segments.keys()]);
    expectOrder(result.segments, result.durationSeconds);
    expectOrder(result.words, result.durationSeconds);
    for (const [word, { start }] of result.words.entries()) expect(start).toBeCloseTo(word * WORD_SECONDS, 0);
  });

  test('an attempt that goes on after an early or a late chunk ends with the same result', async () => {
    const whole = run(createReader());
    const expected = await whole.outcome;
    expect(whole.kept.length).toBeGreaterThanOrEqual(3);
    for (const checkpoint of [whole.kept[0], whole.kept.at(-2)]) {
      // As it comes out of the database.
      const rest = await run(createReader(), JSON.parse(JSON.stringify(checkpoint))).outcome;
      expect(rest.result).toEqual(expected.result);
    }
  });

  test('a checkpoint stays as it was, and takes over what earlier ones have without copying it', async () => {
    const asHanded: string[] = [];
    const { kept, outcome } = run(createReader(() => asHanded.push(JSON.stringify(kept))));
    await outcome;
    expect(JSON.stringify(kept).startsWith(asHanded.at(-1)?.slice(0, -1) ?? '')).toBe(true);
    expect(kept.at(-1)?.chunks[0]).toBe(kept[0]?.chunks[0]);
  });
});

function levelOf(word: number): number {
  // Neighbours differ much, and no two within a chunk are alike.
  return 0.1 + ((word * 37) % WORDS) * 0.0025;
}

/** Reads the words from how loud they are; what it hears of a word in part is a `?`. */
function createReader(onCall: () => void = () => {}): AsrEngine {
  return {
    model: 'reader',
    async transcribe(samples) {
      onCall();
      return readWords(samples);
    },
    close: async () => {},
  };
}

function readWords(samples: Float32Array): AsrTranscript {
  const runs: { word: number; from: number; to: number }[] = [];
  for (let frame = 0; frame * FRAME < samples.length; frame += 1) {
    const level = samples[frame * FRAME] ?? 0;
    const last = runs.at(-1);
    if (level < CLOSURE_LEVEL * 1.5 && last) last.to = frame + 1;
    else {
      const word = wordOf(level);
      if (last?.word === word) last.to = frame + 1;
      else runs.push({ word, from: frame, to: frame + 1 });
    }
  }
  const words: TranscriptWord[] = runs
    .filter(({ from, to }) => to - from >= AUDIBLE_FRAMES)
    .map(({ word, from, to }) => ({
      word: to - from >= WORD_FRAMES - AUDIBLE_FRAMES ? `w${word}` : '?',
      start: from / 100,
      end: Math.min(to / 100, samples.length / RATE_HZ),
    }));
  const segments: AsrTranscript['segments'] = [];
  for (let first = 0; first < words.length; first += WORDS_A_SEGMENT) {
    const said = words.slice(first, first + WORDS_A_SEGMENT);
    segments.push({
      ...UNMEASURED,
      id: segments.length,
      start: said[0]?.start ?? 0,
      end: said.at(-1)?.end ?? 0,
      text: said.map(({ word }) => ` ${word}`).join(''),
    });
  }
  return { language: 'en', segments, words, warnings: [] };
}

function wordOf(level: number): number {
  const place = Math.round((level - 0.1) / 0.0025);
  return Array.from({ length: WORDS }, (_, word) => word).find((word) => (word * 37) % WORDS === place) ?? -1;
}

function expectOrder(spans: { start: number; end: number }[], durationSeconds: number): void {
  let earliest = 0;
  for (const { start, end } of spans) {
    expect(start).toBeGreaterThanOrEqual(earliest);
    expect(end).toBeGreaterThanOrEqual(start);
    earliest = end;
  }
  expect(earliest).toBeLessThanOrEqual(durationSeconds);
}
