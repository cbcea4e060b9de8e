import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AsrEngine, createFasterWhisperEngine, wordErrorRate } from '@aigolos/engines/asr';
import { eventLoopDelayP99Ms } from '@aigolos/engines/conformance';
import { createSileroVad, type VoiceActivityDetector } from '@aigolos/engines/vad';
import { createMedia } from '@aigolos/media';
import { testLog as log, longSpeech, MODELS_DIR, speechPython } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobContext } from '../test/job-context.ts';
import { createTranscribeProcessor } from './transcribe.processor.ts';

const MODEL = 'whisper-tiny.en';
const SECONDS = 75;
const TIMEOUT_MS = 180_000;
/** Half a point, and of a text so short that one word is more than that, one word. The benchmark looks at longer ones. */
const mostLoss = (text: string) => Math.max(0.005, 1.01 / text.split(' ').length);
const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' });
const signal = new AbortController().signal;

describe('a long file by the real engine and the real detector', { timeout: TIMEOUT_MS }, () => {
  let dir: string;
  let path: string;
  let speech: { samples: Float32Array; text: string };
  let engine: AsrEngine;
  let vad: VoiceActivityDetector;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'aigolos-asr-'));
    path = join(dir, 'speech.wav');
    speech = await longSpeech({ seconds: SECONDS, pauseSeconds: [0.3, 2] });
    const pcm = async function* () {
      yield { samples: speech.samples, sampleRateHz: 16_000 };
    };
    await writeFile(path, (await media.encode(pcm(), { format: 'wav' }, signal)).stream);
    const modelDir = join(MODELS_DIR, MODEL);
    engine = await createFasterWhisperEngine({ model: MODEL, modelDir, pythonPath: speechPython(), log });
    vad = await createSileroVad({ modelPath: join(MODELS_DIR, 'silero-vad', 'model.onnx') });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await Promise.all([engine.close(), vad.close(), rm(dir, { recursive: true, force: true })]);
  });

  const processorOf = (used: AsrEngine) =>
    createTranscribeProcessor({
      engine: used,
      vad,
      media,
      blobs: { exists: async () => true, withLocalFile: (_key, use) => use(path) },
      maxSeconds: 1_000,
    });

  test('its text has no more words wrong than that of the engine given all of it at once', async () => {
    // Without the engine's second try, which draws lots.
    const { context, kept } = jobContext({ model: MODEL, temperature: 0 });
    const { result } = await processorOf(engine)(context);
    expect(kept.length).toBeGreaterThan(2);
    const whole = await engine.transcribe(speech.samples, { wordTimestamps: true, temperature: 0 }, signal);
    const wholeText = whole.segments.map(({ text }) => text).join('');
    const loss = wordErrorRate(speech.text, result.text) - wordErrorRate(speech.text, wholeText);
    expect(loss).toBeLessThanOrEqual(mostLoss(speech.text));
    expect(result.words.map(({ start }) => start)).toEqual(
      result.words.map(({ start }) => start).toSorted((a, b) => a - b),
    );
    expect(result.words.at(-1)?.end).toBeLessThanOrEqual(result.durationSeconds);
  });

  test('the event loop is free while it is cut and listened to (p99 < 50 ms)', { retry: 2 }, async () => {
    const mute: AsrEngine = {
      model: MODEL,
      transcribe: async () => ({ language: 'en', segments: [], words: [], warnings: [] }),
      close: async () => {},
    };
    expect(await eventLoopDelayP99Ms(() => processorOf(mute)(jobContext({ model: MODEL }).context))).toBeLessThan(50);
  });
});
