import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, openBlobStore } from '@aigolos/blob-store';
import type { TtsEngine } from '@aigolos/engines/tts';
import type { JobContext } from '@aigolos/jobs';
import { createMedia } from '@aigolos/media';
import { createLogger } from '@aigolos/runtime';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSpeakProcessor } from './speak.processor.ts';

const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' });
const log = createLogger({ service: 'test', level: 'silent' });
const RATE_HZ = 22_050;
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

function context(task: object, fence = 1, signal = new AbortController().signal) {
  const progress: number[] = [];
  const job = { _id: 'spc_1', fence, task: { model: 'spy', voice: 'v', format: 'wav', speed: 1, ...task } };
  const value = { job, signal, log, reportProgress: (fraction: number) => progress.push(fraction) };
  return { progress, context: value as unknown as JobContext<'speech'> };
}

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
