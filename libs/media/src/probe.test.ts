import { join } from 'node:path';
import { ValidationError } from '@aigolos/contracts';
import { describe, expect, test } from 'vitest';
import {
  beginningOf,
  CLIPS,
  type ClipName,
  ffmpeg,
  KENNEDY,
  makeClip,
  media,
  SPEECH,
  SPEECH_SECONDS,
  withFolder,
  writeClip,
} from '../test/clips.ts';
import { createMedia } from './media.ts';

const clipNames = Object.keys(CLIPS) as ClipName[];

describe('probe', () => {
  test.each(clipNames)('says what is in %s and how long it is', async (name) => {
    await withFolder(async (folder) => {
      const found = await media.probe(await makeClip(folder, name));
      expect(found).toMatchObject({ container: CLIPS[name].container, audioCodec: CLIPS[name].audioCodec });
      expect(Math.abs((found.durationSeconds ?? 0) - SPEECH_SECONDS)).toBeLessThan(0.25);
    });
  });

  test('says the rate and the channels of the file, not of what it is decoded to', async () => {
    expect(await media.probe(KENNEDY)).toMatchObject({ sampleRateHz: 44_100, channels: 2 });
    expect(await media.probe(SPEECH)).toMatchObject({ sampleRateHz: 16_000, channels: 1 });
  });

  test('leaves the duration open where the container does not say it, as in a live WebM', async () => {
    await withFolder(async (folder) => {
      const path = await ffmpeg(join(folder, 'live.webm'), [
        '-i',
        SPEECH,
        '-c:a',
        'libopus',
        '-live',
        '1',
        '-f',
        'webm',
      ]);
      expect(await media.probe(path)).toMatchObject({ audioCodec: 'opus', durationSeconds: undefined });
    });
  });

  test('says whether the length is stated or goes by what is there', async () => {
    await withFolder(async (folder) => {
      const whole = await makeClip(folder, 'index-at-end.m4a');
      const cut = await writeClip(folder, 'cut.flac', await beginningOf(KENNEDY, 300_000));
      expect(await media.probe(whole)).toMatchObject({ statesDuration: true });
      expect(await media.probe(cut)).toMatchObject({ statesDuration: true, durationSeconds: expect.closeTo(11, 0) });
      expect(await media.probe(SPEECH)).toMatchObject({ statesDuration: false });
    });
  });

  test('knows audio by its content when the name says something else', async () => {
    await withFolder(async (folder) => {
      const mp3 = await makeClip(folder, 'speech.mp3');
      const path = await writeClip(folder, 'input', await beginningOf(mp3, 1e9));
      expect(await media.probe(path)).toMatchObject({ container: 'mp3' });
    });
  });
});

describe('a file that is not audio is refused with the reason', () => {
  test('an empty file', async () => {
    await withFolder(async (folder) => {
      const path = await writeClip(folder, 'empty.wav', '');
      await expect(media.probe(path)).rejects.toMatchObject({ code: 'AUDIO_EMPTY', message: /empty \(0 bytes\)/ });
    });
  });

  test.each(['notes.wav', 'notes.mp3', 'notes.aac', 'notes.txt'])('a text called %s', async (name) => {
    await withFolder(async (folder) => {
      const path = await writeClip(folder, name, 'Remember the milk.\n'.repeat(200));
      const error = await media.probe(path).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ValidationError);
      expect(error).toMatchObject({
        code: 'AUDIO_NOT_RECOGNISED',
        retryable: false,
        message: /cannot be read as audio/,
      });
    });
  });

  test('a video without sound, which the message names', async () => {
    await withFolder(async (folder) => {
      const picture = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=5:duration=1', '-c:v', 'mpeg4'];
      const path = await ffmpeg(join(folder, 'silent-film.mp4'), picture);
      await expect(media.probe(path)).rejects.toMatchObject({
        code: 'AUDIO_NOT_RECOGNISED',
        message: /no audio stream, only video \(mpeg4\)/,
      });
    });
  });

  test.each([
    ['an M4A without its end', 'index-at-end.m4a', 8_000, /MP4 or M4A file, but is cut off.*its index/],
    ['an Ogg without its sound', 'speech.ogg', 80, /begins as an Ogg file, but is cut off or damaged/],
  ] as const)('%s, which the message says', async (_what, clip, bytes, message) => {
    await withFolder(async (folder) => {
      const whole = await makeClip(folder, clip);
      const path = await writeClip(folder, 'cut', await beginningOf(whole, bytes));
      await expect(media.probe(path)).rejects.toMatchObject({ code: 'AUDIO_NOT_RECOGNISED', message });
    });
  });

  test('a WAV without any samples', async () => {
    await withFolder(async (folder) => {
      const path = await writeClip(folder, 'silent.wav', await beginningOf(SPEECH, 44));
      await expect(media.probe(path)).rejects.toMatchObject({ code: 'AUDIO_EMPTY', message: /\(wav\).*0 samples/ });
    });
  });

  test('a WAV header without any format behind it', async () => {
    await withFolder(async (folder) => {
      const path = await writeClip(folder, 'cut.wav', await beginningOf(SPEECH, 14));
      await expect(media.probe(path)).rejects.toMatchObject({ code: 'AUDIO_NOT_RECOGNISED' });
    });
  });
});

test('without ffprobe the error is ours and another try may succeed', async () => {
  const broken = createMedia({ ffmpegPath: 'no-such-ffmpeg', ffprobePath: 'no-such-ffprobe' });
  await expect(broken.probe(SPEECH)).rejects.toMatchObject({ code: 'MEDIA_TOOL_FAILED', retryable: true });
});

test('an abort ends a probe with its reason', async () => {
  const controller = new AbortController();
  const reason = new Error('upload given up');
  const probing = media.probe(SPEECH, controller.signal);
  controller.abort(reason);
  await expect(probing).rejects.toBe(reason);
});
