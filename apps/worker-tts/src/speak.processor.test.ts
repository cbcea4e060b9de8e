import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type BlobStore, openBlobStore } from '@aigolos/blob-store';
import { type SpeechCheckpoint, SpeechTimingsSchema } from '@aigolos/contracts';
import { createTestTtsEngine, type TtsEngine } from '@aigolos/engines/tts';
import type { JobContext } from '@aigolos/jobs';
import { createMedia } from '@aigolos/media';
import { testLog as log } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSpeakProcessor } from './speak.processor.ts';
import { planSpeech } from './speech-plan.ts';

const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' });
const RATE_HZ = 22_050;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
let dir: string;
let blobs: BlobStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aigolos-tts-'));
  blobs = openBlobStore({ BLOB_DRIVER: 'fs', BLOB_DIR: dir, S3_REGION: 'us-east-1' });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Hums for a tenth of a second a character, and remembers what it was given. */
function createSpyEngine(model: string) {
  const spoken: string[] = [];
  const engine: TtsEngine = {
    model,
    voices: [{ id: 'v', name: 'v', language: 'en' }],
    async *synthesize(text) {
      spoken.push(text);
      const samples = new Float32Array((text.length * RATE_HZ) / 10).map((_, index) => Math.sin(index / 10) / 2);
      yield { samples, sampleRateHz: RATE_HZ };
    },
    close: async () => {},
  };
  return { engine, spoken };
}

function context(task: object, fence = 1, signal = new AbortController().signal, checkpoint?: unknown) {
  const progress: number[] = [];
  const checkpoints: SpeechCheckpoint[] = [];
  const job = { _id: 'spc_1', fence, task: { model: 'spy', voice: 'v', format: 'wav', speed: 1, ...task }, checkpoint };
  const checkpointNow = async (made: SpeechCheckpoint) => void checkpoints.push(structuredClone(made));
  const value = { job, signal, log, checkpointNow, reportProgress: (fraction: number) => progress.push(fraction) };
  return { progress, checkpoints, context: value as unknown as JobContext<'speech'> };
}

/** Some forty seconds of speech, with two chapters. */
const LONG = `# One\n${'It rained all day long. '.repeat(8)}\n# Two\n${'The sun rose again, late. '.repeat(8)}`;
const textOf = async (key: string) => text(await blobs.read(key));
const keysOf = async () => (await Array.fromAsync(blobs.list('spc_1'), ({ key }) => key)).toSorted();

test('speaks sentence by sentence and stores one file of the right length', async () => {
  const { engine, spoken } = createSpyEngine('spy');
  const input = 'Good morning. How are you?';
  const { context: job, progress } = context({ input }, 3);
  const { result, usage } = await createSpeakProcessor({ engines: [engine], media, blobs })(job);
  expect(spoken).toHaveLength(2);
  expect(spoken.join('')).toBe(input);
  expect(result.durationSeconds).toBeCloseTo(input.length / 10, 1);
  expect(result).toMatchObject({ blobKey: 'spc_1/output-3.wav', contentType: 'audio/wav' });
  expect(usage.inputCharacters).toBe(input.length);
  const probed = await blobs.withLocalFile(result.blobKey, (path) => media.probe(path));
  expect(probed.durationSeconds).toBeCloseTo(input.length / 10, 1);
  expect(progress.at(-1)).toBe(1);
});

test('each model is spoken by its own engine, and one that is not served is refused', async () => {
  const [first, second] = [createSpyEngine('first'), createSpyEngine('second')];
  const process = createSpeakProcessor({ engines: [first.engine, second.engine], media, blobs });
  await process(context({ input: 'hi', model: 'second', format: 'mp3' }).context);
  expect([first.spoken, second.spoken]).toEqual([[], ['hi']]);
  await expect(process(context({ input: 'hi', model: 'third' }).context)).rejects.toMatchObject({
    code: 'TTS_ENGINE_REJECTED',
    message: expect.stringContaining('first, second'),
  });
});

test('a job that is stopped stores nothing', async () => {
  const stopping = new AbortController();
  const engine: TtsEngine = {
    ...createSpyEngine('spy').engine,
    async *synthesize() {
      yield { samples: new Float32Array(RATE_HZ), sampleRateHz: RATE_HZ };
      stopping.abort(new Error('cancelled'));
      stopping.signal.throwIfAborted();
    },
  };
  const process = createSpeakProcessor({ engines: [engine], media, blobs });
  await expect(process(context({ input: 'hi' }, 1, stopping.signal).context)).rejects.toThrow('cancelled');
  expect(await Array.fromAsync(blobs.recordIds())).toEqual([]);
});

describe('a long text', () => {
  const speak = async (engine: TtsEngine, made = context({ input: LONG })) => ({
    ...made,
    processed: await createSpeakProcessor({ engines: [engine], media, blobs })(made.context),
  });

  test('is spoken and kept group by group, the first ones short; its times and chapters fit its sound', async () => {
    const { processed, checkpoints } = await speak(createSpyEngine('spy').engine);
    const { parts } = checkpoints.at(-1) as SpeechCheckpoint;
    expect(checkpoints.map((made) => made.parts.length)).toEqual(checkpoints.map((_, index) => index + 1));
    const seconds = parts.map(({ samples }) => samples / RATE_HZ);
    expect([seconds.length, (seconds[0] ?? 0) < 3, (seconds[1] ?? 0) < 8]).toEqual([4, true, true]);
    const { timings, durationSeconds } = processed.result;
    const { sentences, chapters } = SpeechTimingsSchema.parse(JSON.parse(await textOf(timings?.blobKey ?? '')));
    expect(sentences.at(-1)?.end).toBeCloseTo(durationSeconds, 5);
    const two = sentences.find(({ text: said }) => said === 'Two');
    expect(chapters).toEqual([
      { title: 'One', start: 0, end: two?.start },
      { title: 'Two', start: two?.start, end: durationSeconds },
    ]);
  });

  test('is gone on with after what is kept, and sounds as if nothing had happened', async () => {
    const whole = await speak(createSpyEngine('spy').engine);
    const expected = await buffer(await blobs.read(whole.processed.result.blobKey));
    const times = await textOf(whole.processed.result.timings?.blobKey ?? '');
    const kept = whole.checkpoints[2];
    const { engine, spoken } = createSpyEngine('spy');
    // A worker of a later version may have written more into it.
    const extended = { ...kept, computeMs: 1e7, novelty: 1 };
    const again = await speak(engine, context({ input: LONG }, 2, undefined, extended));
    const before = kept?.parts.flatMap(({ sentences }) => sentences).length ?? 0;
    expect(spoken).toEqual(
      planSpeech(LONG)
        .slice(before)
        .map(({ text: said }) => said),
    );
    const { result, usage } = again.processed;
    expect(result).toMatchObject({ blobKey: 'spc_1/output-2.wav', begunBy: 1 });
    expect((await buffer(await blobs.read(result.blobKey))).equals(expected)).toBe(true);
    expect(await textOf(result.timings?.blobKey ?? '')).toBe(times);
    expect(usage.computeMs).toBeGreaterThan(1e7);
  });

  test.each([
    ['of an unknown version', (kept: SpeechCheckpoint) => ({ ...kept, version: 2 })],
    [
      'of another text',
      ({ parts: [first, ...others], ...kept }: SpeechCheckpoint) => ({
        ...kept,
        parts: [{ ...first, textEnd: 3 }, ...others],
      }),
    ],
    [
      'whose parts are not what it says',
      ({ parts: [first, ...others], ...kept }: SpeechCheckpoint) => ({
        ...kept,
        parts: [{ ...first, samples: 7 }, ...others],
      }),
    ],
    [
      'whose parts are gone',
      ({ parts, ...kept }: SpeechCheckpoint) => ({
        ...kept,
        parts: parts.map((part) => ({ ...part, blobKey: 'spc_1/part-0-0.s16le' })),
      }),
    ],
    ['that makes no sense', () => 'nonsense'],
  ])('is begun anew from a checkpoint %s', async (_what, spoil) => {
    const first = await speak(createSpyEngine('spy').engine);
    const { engine, spoken } = createSpyEngine('spy');
    const spoilt = spoil(first.checkpoints[2] as SpeechCheckpoint);
    const { processed } = await speak(engine, context({ input: LONG }, 2, undefined, spoilt));
    expect(spoken).toHaveLength(planSpeech(LONG).length);
    expect(processed.result).toMatchObject({ begunBy: 2, durationSeconds: first.processed.result.durationSeconds });
  });

  test('a short one keeps nothing on the way', async () => {
    const { checkpoints } = await speak(
      createSpyEngine('spy').engine,
      context({ input: 'Good morning. How are you?' }),
    );
    expect(checkpoints).toEqual([]);
    expect(await keysOf()).toEqual(['spc_1/output-1.wav', 'spc_1/timings-1.json']);
  });

  test('takes no more memory than a short one', async () => {
    const heldBytes = async (characters: number) => {
      const input = 'It was a bright cold day in April, and the clocks struck. '.repeat(characters / 58);
      let most = 0;
      const made = context({ input, model: 'test-tts', voice: 'test-low', speed: 4 });
      const watched = {
        ...made.context,
        checkpointNow: async () => {
          collectGarbage();
          const { heapUsed, external } = process.memoryUsage();
          most = Math.max(most, heapUsed + external);
        },
      } as JobContext<'speech'>;
      await createSpeakProcessor({ engines: [createTestTtsEngine()], media, blobs })(watched);
      return most;
    };
    await heldBytes(2_000);
    const [short, long] = [await heldBytes(8_000), await heldBytes(60_000)];
    // The long one is 900 s, or 43 MB in the form in which it is encoded.
    expect(long - short).toBeLessThan(10e6);
  }, 60_000);
});
