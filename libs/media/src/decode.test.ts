import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bytesMoved, childRunning, isAlive } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  beginningOf,
  CLIPS,
  type ClipName,
  decodeAll,
  ffmpeg,
  KENNEDY,
  loudness,
  makeClip,
  media,
  SPEECH,
  SPEECH_SECONDS,
  withFolder,
  writeClip,
} from '../test/clips.ts';
import { createMedia } from './media.ts';

const never = new AbortController().signal;
const clipNames = Object.keys(CLIPS) as ClipName[];

describe('decode', () => {
  test.each(clipNames)('%s becomes mono 16 kHz PCM of the same length and loudness', async (name) => {
    const original = await decodeAll(SPEECH);
    await withFolder(async (folder) => {
      const samples = await decodeAll(await makeClip(folder, name));
      expect(Math.abs(samples.length / 16_000 - SPEECH_SECONDS)).toBeLessThan(0.15);
      expect(loudness(samples) / loudness(original)).toBeGreaterThan(0.8);
      expect(loudness(samples) / loudness(original)).toBeLessThan(1.25);
    });
  });

  test('resamples to the rate that is asked for', async () => {
    expect((await decodeAll(KENNEDY, 16_000)).length / 16_000).toBeCloseTo(11, 1);
    expect((await decodeAll(KENNEDY, 8_000)).length / 8_000).toBeCloseTo(11, 1);
  });

  test('a file that is cut off gives what is there', async () => {
    await withFolder(async (folder) => {
      const mp3 = await makeClip(folder, 'speech.mp3');
      const samples = await decodeAll(await writeClip(folder, 'cut.mp3', await beginningOf(mp3, 6_000)));
      expect(samples.length / 16_000).toBeGreaterThan(0.3);
      expect(samples.length / 16_000).toBeLessThan(SPEECH_SECONDS);
    });
  });

  test.each([
    ['an m4a whose index at the end is cut off', 'index-at-end.m4a', 5_000],
    ['a WAV of which only the header came', '24-bit.wav', 44],
  ] as const)('%s holds no sound', async (_, name, bytes) => {
    await withFolder(async (folder) => {
      const path = await writeClip(folder, 'cut', await beginningOf(await makeClip(folder, name), bytes));
      await expect(decodeAll(path)).rejects.toMatchObject({ code: 'AUDIO_EMPTY', retryable: false });
    });
  });

  test('garbage and empty files hold no sound', async () => {
    await withFolder(async (folder) => {
      const garbage = await writeClip(folder, 'garbage.mp3', new Uint8Array(50_000).fill(7));
      await expect(decodeAll(garbage)).rejects.toMatchObject({ code: 'AUDIO_EMPTY' });
      await expect(decodeAll(await writeClip(folder, 'empty', ''))).rejects.toMatchObject({ code: 'AUDIO_EMPTY' });
    });
  });

  test('without ffmpeg the error is ours and another try may succeed', async () => {
    const broken = createMedia({ ffmpegPath: '/no/such/ffmpeg', ffprobePath: 'ffprobe' });
    const decoding = Array.fromAsync(broken.decode(SPEECH, { sampleRateHz: 16_000 }, never));
    await expect(decoding).rejects.toMatchObject({ code: 'MEDIA_TOOL_FAILED', retryable: true });
  });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('an hour of audio', () => {
  let folder: string;
  let hour: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aigolos-media-test-'));
    const sine = 'sine=frequency=300:duration=3600:sample_rate=8000';
    hour = await ffmpeg(join(folder, 'hour.wav'), ['-f', 'lavfi', '-i', sine, '-c:a', 'pcm_mulaw']);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is decoded without being held in memory', { timeout: 60_000 }, async () => {
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    let pieces = 0;
    let samples = 0;
    let held = 0;
    for await (const piece of media.decode(hour, { sampleRateHz: 16_000 }, never)) {
      samples += piece.length;
      pieces += 1;
      if (pieces % 300 !== 0) continue;
      // What is still there after a collection is held; what one would free says only when the last one was.
      collectGarbage();
      held = Math.max(held, process.memoryUsage().arrayBuffers - before);
    }
    expect(samples / 16_000).toBeCloseTo(3_600, 0);
    expect(pieces).toBeGreaterThan(300);
    // The PCM is 230 MB. Freeing runs beside this thread, so a round or two of 19 MB may still be on their way.
    expect(held / 1e6).toBeLessThan(60);
  });

  test('is decoded no faster than it is taken, and an abort ends the waiting ffmpeg and the loop with its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const pieces = media.decode(hour, { sampleRateHz: 16_000 }, controller.signal);
    await pieces.next();
    const pid = await childRunning('ffmpeg');
    let written = -1;
    await expect
      .poll(async () => written === (written = (await bytesMoved(pid)).written), { interval: 200 })
      .toBe(true);
    expect(written / 1e6).toBeLessThan(2);
    controller.abort(reason);
    await expect.poll(() => isAlive(pid)).toBe(false);
    await expect(pieces.next()).rejects.toBe(reason);
  });

  test('leaving the loop early ends ffmpeg', async () => {
    let pid = 0;
    for await (const _ of media.decode(hour, { sampleRateHz: 16_000 }, never)) {
      pid = await childRunning('ffmpeg');
      break;
    }
    expect(pid).toBeGreaterThan(0);
    expect(isAlive(pid)).toBe(false);
  });
});

test('a signal that is already aborted starts nothing', async () => {
  const reason = new Error('too late');
  const pieces = media.decode(SPEECH, { sampleRateHz: 16_000 }, AbortSignal.abort(reason));
  await expect(pieces.next()).rejects.toBe(reason);
});
