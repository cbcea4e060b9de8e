import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TranscriptionCheckpoint } from '@aigolos/contracts';
import type { AsrEngine } from '@aigolos/engines/asr';
import type { JobContext } from '@aigolos/jobs';
import { createMedia } from '@aigolos/media';
import { audioClip, testLog as log } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTranscribeProcessor } from './transcribe.processor.ts';

const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' });
const CLIPS = 7;
const SECONDS = CLIPS * 11;
let dir: string;
let longAudio: string;

/** The Kennedy clip, seven times over: several chunks. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aigolos-asr-'));
  longAudio = join(dir, 'long.wav');
  const signal = new AbortController().signal;
  async function* repeated() {
    for (let clip = 0; clip < CLIPS; clip += 1) {
      for await (const samples of media.decode(audioClip('kennedy'), { sampleRateHz: 16_000 }, signal)) {
        yield { samples, sampleRateHz: 16_000 };
      }
    }
  }
  await writeFile(longAudio, (await media.encode(repeated(), { format: 'wav' }, signal)).stream);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Says one word half a second into each chunk, and remembers what it was given. */
function createSpyEngine(failAtCall?: number) {
  const heardSeconds: number[] = [];
  const tasks: unknown[] = [];
  const engine: AsrEngine = {
    model: 'spy',
    async transcribe(samples, { task }) {
      if (heardSeconds.length + 1 === failAtCall) throw new Error('told to fail');
      heardSeconds.push(samples.length / 16_000);
      tasks.push(task);
      const text = ` chunk ${heardSeconds.length}`;
      const numbers = {
        id: 0,
        seek: 0,
        tokens: [],
        temperature: 0,
        avg_logprob: 0,
        compression_ratio: 1,
        no_speech_prob: 0,
      };
      return {
        language: 'en',
        segments: [{ ...numbers, start: 0.5, end: 1, text }],
        words: [{ word: 'chunk', start: 0.5, end: 0.8 }],
        warnings: ['the same for each chunk'],
      };
    },
    close: async () => {},
  };
  return { engine, heardSeconds, tasks };
}

function context(
  model: string,
  checkpoint?: unknown,
  duration: { durationSeconds?: number; statesDuration?: boolean } = { durationSeconds: SECONDS },
) {
  const kept: { checkpoint?: TranscriptionCheckpoint; progress: number[]; told: string[] } = { progress: [], told: [] };
  const task = {
    model,
    responseFormat: 'json',
    wordTimestamps: true,
    audio: { blobKey: 'trn_1/input', bytes: 1, sha256: '', ...duration },
  };
  const value = {
    job: { _id: 'trn_1', task, checkpoint },
    signal: new AbortController().signal,
    log,
    reportProgress: (fraction: number) => kept.progress.push(fraction),
    checkpoint: (given: TranscriptionCheckpoint) => {
      kept.checkpoint = given;
    },
    emitDelta: (text: string) => kept.told.push(text),
  };
  return { kept, context: value as unknown as JobContext<'transcription'> };
}

const blobs = {
  exists: async () => true,
  withLocalFile: <T>(_key: string, use: (path: string) => Promise<T>) => use(longAudio),
};

describe('transcribing a long file', () => {
  test('goes chunk by chunk; times are those of the whole file and nothing is left out', async () => {
    const { engine, heardSeconds } = createSpyEngine();
    const { kept, context: job } = context('spy');
    const { result, usage, warnings } = await createTranscribeProcessor({ engine, media, blobs, maxSeconds: 100 })(job);
    expect(Math.max(...heardSeconds)).toBeLessThanOrEqual(30);
    expect(heardSeconds.reduce((sum, seconds) => sum + seconds, 0)).toBeCloseTo(result.durationSeconds, 3);
    expect(result.durationSeconds).toBeCloseTo(SECONDS, 0);
    expect(result.text).toBe(heardSeconds.map((_, index) => `chunk ${index + 1}`).join(' '));
    const starts = heardSeconds.map((_, index) =>
      heardSeconds.slice(0, index).reduce((sum, seconds) => sum + seconds, 0.5),
    );
    for (const [index, start] of starts.entries()) {
      expect(result.segments[index]).toMatchObject({ id: index, start: expect.closeTo(start, 2) });
      expect(result.words[index]?.start).toBeCloseTo(start, 2);
    }
    expect(usage.audioSeconds).toBe(result.durationSeconds);
    expect(warnings).toEqual(['the same for each chunk']);
    expect(kept.progress).toEqual(kept.progress.toSorted((a, b) => a - b));
    expect(kept.progress.at(-1)).toBeCloseTo(1, 1);
    expect(kept.told).toHaveLength(heardSeconds.length);
    expect(kept.told.join('')).toBe(result.text);
  });

  test('a later attempt goes on after the last finished chunk, with the same end', async () => {
    const whole = createSpyEngine();
    const process = (engine: AsrEngine) => createTranscribeProcessor({ engine, media, blobs, maxSeconds: 100 });
    const expected = await process(whole.engine)(context('spy').context);
    const first = context('spy');
    const failing = createSpyEngine(3);
    await expect(process(failing.engine)(first.context)).rejects.toThrow('told to fail');
    const rest = createSpyEngine();
    const later = context('spy', first.kept.checkpoint);
    const second = await process(rest.engine)(later.context);
    // What is told of an attempt is the whole of its text.
    expect(later.kept.told.join('')).toBe(second.result.text);
    expect([...failing.heardSeconds, ...rest.heardSeconds]).toEqual(whole.heardSeconds);
    expect(second.result.segments.map(({ start }) => start)).toEqual(
      expected.result.segments.map(({ start }) => start),
    );
  });

  test('a checkpoint of a newer version starts over, one with fields that are not known goes on', async () => {
    const process = (engine: AsrEngine) => createTranscribeProcessor({ engine, media, blobs, maxSeconds: 100 });
    const first = context('spy');
    const failing = createSpyEngine(3);
    await expect(process(failing.engine)(first.context)).rejects.toThrow('told to fail');
    const newer = createSpyEngine();
    await process(newer.engine)(context('spy', { ...first.kept.checkpoint, version: 3 }).context);
    const wider = createSpyEngine();
    await process(wider.engine)(context('spy', { ...first.kept.checkpoint, mood: 'good' }).context);
    expect(newer.heardSeconds.length).toBe(failing.heardSeconds.length + wider.heardSeconds.length);
    expect(wider.heardSeconds.length).toBeLessThan(newer.heardSeconds.length);
  });

  test('progress is told chunk by chunk also where the container does not say how long the file is', async () => {
    const { engine, heardSeconds } = createSpyEngine();
    const { kept, context: job } = context('spy', undefined, {});
    await createTranscribeProcessor({ engine, media, blobs, maxSeconds: 100 })(job);
    expect(kept.progress).toHaveLength(heardSeconds.length);
    expect(kept.progress[0]).toBeGreaterThan(0.2);
    expect(kept.progress[0]).toBeLessThan(0.5);
    expect(kept.progress.at(-1)).toBeCloseTo(1, 2);
  });

  test('a file that is shorter than it states is transcribed as far as it goes, with a warning', async () => {
    const warningsOf = async (audio: { durationSeconds: number; statesDuration: boolean }) => {
      const { engine } = createSpyEngine();
      const { context: job } = context('spy', undefined, audio);
      return (await createTranscribeProcessor({ engine, media, blobs, maxSeconds: 100 })(job)).warnings.slice(1);
    };
    expect(await warningsOf({ durationSeconds: 90, statesDuration: true })).toEqual([
      expect.stringMatching(/says that it is 90\.0 s long, but 77\.0 s of it could be read/),
    ]);
    expect(await warningsOf({ durationSeconds: 90, statesDuration: false })).toEqual([]);
    expect(await warningsOf({ durationSeconds: SECONDS + 0.5, statesDuration: true })).toEqual([]);
  });

  test('a translation is asked for as one, chunk by chunk', async () => {
    const { engine, tasks } = createSpyEngine();
    const { context: asked } = context('spy');
    const job = { ...asked.job, kind: 'translation' as const };
    const process = createTranscribeProcessor({ engine, media, blobs, maxSeconds: 100 });
    await process({ ...asked, job } as JobContext<'translation'>);
    expect(tasks.length).toBeGreaterThan(1);
    expect(new Set(tasks)).toEqual(new Set(['translate']));
  });

  test('audio that was lost fails the job with the reason, at once', async () => {
    const { engine } = createSpyEngine();
    const lost = { ...blobs, exists: async () => false };
    const process = createTranscribeProcessor({ engine, media, blobs: lost, maxSeconds: 20 });
    await expect(process(context('spy').context)).rejects.toMatchObject({
      code: 'AUDIO_NOT_AVAILABLE',
      retryable: false,
    });
  });

  test('audio past the limit, and a model that is not served, are refused', async () => {
    const { engine } = createSpyEngine();
    const process = createTranscribeProcessor({ engine, media, blobs, maxSeconds: 20 });
    await expect(process(context('spy').context)).rejects.toMatchObject({ code: 'AUDIO_TOO_LONG' });
    await expect(process(context('other').context)).rejects.toMatchObject({
      code: 'ASR_ENGINE_REJECTED',
      retryable: false,
    });
  });
});
