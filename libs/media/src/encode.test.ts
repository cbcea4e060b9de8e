import { readdir } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { SPEECH_FORMATS, type SpeechFormat } from '@aigolos/contracts';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { concat, loudness, media, withFolder, writeClip } from '../test/clips.ts';
import { createMedia, type PcmAudio } from './media.ts';

const never = new AbortController().signal;
const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const SECOND_AT_22_KHZ = 22_050;
const RAW = '-f s16le -ar 24000 -ac 1';
/** What somebody else finds in a file or stream of each format, and what has to be told to read it. */
const FOUND: Record<SpeechFormat, { codec: string; rateHz: number; input: string[] }> = {
  mp3: { codec: 'mp3', rateHz: SECOND_AT_22_KHZ, input: [] },
  opus: { codec: 'opus', rateHz: 48_000, input: [] },
  aac: { codec: 'aac', rateHz: SECOND_AT_22_KHZ, input: [] },
  flac: { codec: 'flac', rateHz: SECOND_AT_22_KHZ, input: [] },
  wav: { codec: 'pcm_s16le', rateHz: SECOND_AT_22_KHZ, input: [] },
  pcm: { codec: 'pcm_s16le', rateHz: 24_000, input: RAW.split(' ') },
};

describe.each(SPEECH_FORMATS)('encode to %s', (format) => {
  test('gives a file whose own header says the right length', async () => {
    await withFolder(async (folder) => {
      const encoded = await media.encode(tones(7), { format }, never);
      expect(encoded.durationSeconds).toBe(7);
      const file = await buffer(encoded.stream);
      expect(file.length).toBe(encoded.bytes);
      const path = await writeClip(folder, 'out', file);
      const { codec, rateHz } = FOUND[format];
      const probed = await probeAs(format, path);
      expect(probed).toMatchObject({ codec, rateHz, channels: 1 });
      expect(Math.abs(probed.seconds - 7) / 7).toBeLessThan(0.02);
      expect(await soundOf(path, format)).toBeCloseTo(loudness(concat(await samplesOf(tones(7)))), 1);
    });
  });

  test('is read again from where the sound begins, to the sample', async () => {
    await withFolder(async (folder) => {
      const quiet = async function* (): AsyncGenerator<PcmAudio> {
        yield { samples: new Float32Array(SECOND_AT_22_KHZ), sampleRateHz: SECOND_AT_22_KHZ };
        yield* tones(1);
      };
      const encoded = await media.encode(quiet(), { format }, never);
      const path = await writeClip(folder, 'out', await buffer(encoded.stream));
      const samples = await samplesIn(path, format);
      const begin = samples.findIndex((sample) => Math.abs(sample) > 0.2);
      // Codecs smear an onset over some milliseconds.
      expect(Math.abs(begin - SECOND_AT_22_KHZ) / SECOND_AT_22_KHZ).toBeLessThan(0.005);
    });
  });

  test('the same sound gives the same bytes', async () => {
    const files = [await media.encode(tones(1), { format }, never), await media.encode(tones(1), { format }, never)];
    const [one, other] = await Promise.all(files.map((file) => buffer(file.stream)));
    expect(other?.equals(one ?? Buffer.alloc(0))).toBe(true);
  });

  test('no sound at all gives a short silence that can be played', async () => {
    await withFolder(async (folder) => {
      const encoded = await media.encode(tones(0), { format }, never);
      expect(encoded.durationSeconds).toBe(0.1);
      const path = await writeClip(folder, 'out', await buffer(encoded.stream));
      expect(await soundOf(path, format)).toBeCloseTo(0, 3);
    });
  });

  test('an error of the source comes through and leaves no file', async () => {
    await withFolder(async (tempDir) => {
      const failing = createMedia({ ...tools, tempDir }).encode(failAfter(2), { format }, never);
      await expect(failing).rejects.toThrow('the voice broke');
      expect(await readdir(tempDir)).toEqual([]);
    });
  });

  test('an abort ends it with its reason and leaves no file', async () => {
    await withFolder(async (tempDir) => {
      const controller = new AbortController();
      const reason = new Error('cancelled');
      const { encode } = createMedia({ ...tools, tempDir });
      const encoding = encode(endless(controller.signal), { format }, controller.signal);
      await expect.poll(() => readdir(tempDir)).not.toEqual([]);
      controller.abort(reason);
      await expect(encoding).rejects.toBe(reason);
      expect(await readdir(tempDir)).toEqual([]);
    });
  });
});

describe.each(SPEECH_FORMATS)('a stream of %s', (format) => {
  test('is heard while it is made, and is the whole of it in the end', async () => {
    await withFolder(async (folder) => {
      const { promise: heard, resolve } = Promise.withResolvers<void>();
      const waiting = async function* (): AsyncGenerator<PcmAudio> {
        yield* tones(1);
        await heard;
        yield* tones(2);
      };
      const chunks: Buffer[] = [];
      for await (const chunk of media.encodeStream(waiting(), format, never)) {
        chunks.push(chunk);
        resolve();
      }
      const path = await writeClip(folder, 'out', Buffer.concat(chunks));
      const { codec, rateHz } = FOUND[format];
      expect(await probeAs(format, path)).toMatchObject({ codec, rateHz, channels: 1 });
      const seconds = (await samplesIn(path, format)).length / SECOND_AT_22_KHZ;
      // MP3 and AAC hold whole frames, and a stream cannot say where in the last one it ends.
      expect(Math.abs(seconds - 3)).toBeLessThan(0.12);
    });
  });

  test('ends with the error of its source, and with an abort', async () => {
    await expect(Array.fromAsync(media.encodeStream(failAfter(2), format, never))).rejects.toThrow('the voice broke');
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const reading = async () => {
      for await (const _ of media.encodeStream(endless(controller.signal), format, controller.signal)) {
        controller.abort(reason);
      }
    };
    await expect(reading()).rejects.toBe(reason);
  });
});

test('a huge WAV leaves room for its size, and is read as any other', async () => {
  await withFolder(async (folder) => {
    const file = await buffer((await media.encode(tones(1), { format: 'wav', isHuge: true }, never)).stream);
    expect(file.toString('latin1', 12, 16)).toBe('JUNK');
    expect((await media.probe(await writeClip(folder, 'out', file))).durationSeconds).toBe(1);
  });
});

test('a WAV states the size of its data, which pipes of ffmpeg do not', async () => {
  const encoded = await media.encode(tones(2), { format: 'wav' }, never);
  const file = await buffer(encoded.stream);
  expect(encoded.contentType).toBe('audio/wav');
  expect(file.toString('latin1', 36, 40)).toBe('data');
  expect(file.readUInt32LE(40)).toBe(2 * SECOND_AT_22_KHZ * Int16Array.BYTES_PER_ELEMENT);
  expect(file.readUInt32LE(4)).toBe(file.length - 8);
});

test('a change of the rate within one file is an error', async () => {
  const mixed = async function* (): AsyncGenerator<PcmAudio> {
    yield { samples: new Float32Array(100), sampleRateHz: 22_050 };
    yield { samples: new Float32Array(100), sampleRateHz: 16_000 };
  };
  await expect(media.encode(mixed(), { format: 'wav' }, never)).rejects.toThrow(
    '16000 Hz cannot follow sound at 22050 Hz',
  );
});

test('without ffmpeg the error is ours and another try may succeed', async () => {
  const broken = createMedia({ ffmpegPath: 'no-such-ffmpeg', ffprobePath: 'ffprobe' });
  await expect(broken.encode(tones(2), { format: 'mp3' }, never)).rejects.toMatchObject({
    code: 'MEDIA_TOOL_FAILED',
    retryable: true,
  });
});

async function* tones(seconds: number): AsyncGenerator<PcmAudio> {
  for (let second = 0; second < seconds; second += 1) {
    const samples = Float32Array.from({ length: SECOND_AT_22_KHZ }, (_, index) => 0.5 * Math.sin(index / 10));
    yield { samples, sampleRateHz: SECOND_AT_22_KHZ };
  }
}

async function* failAfter(seconds: number): AsyncGenerator<PcmAudio> {
  yield* tones(seconds);
  throw new Error('the voice broke');
}

async function* endless(signal: AbortSignal): AsyncGenerator<PcmAudio> {
  for (;;) {
    yield* tones(1);
    await sleep(5, undefined, { signal });
  }
}

async function samplesOf(pcm: AsyncIterable<PcmAudio>): Promise<Float32Array[]> {
  return (await Array.fromAsync(pcm)).map((piece) => piece.samples);
}

async function samplesIn(path: string, encodedAs: SpeechFormat): Promise<Float32Array> {
  return concat(await Array.fromAsync(media.decode(path, { sampleRateHz: SECOND_AT_22_KHZ, encodedAs }, never)));
}

async function soundOf(path: string, format: SpeechFormat): Promise<number> {
  return loudness(await samplesIn(path, format));
}

async function probeAs(format: SpeechFormat, path: string) {
  const entries = 'format=duration:stream=codec_name,sample_rate,channels';
  const args = ['-v', 'error', ...FOUND[format].input, '-of', 'json', '-show_entries', entries, path];
  const { stdout } = await execa('ffprobe', args);
  const { format: file, streams } = JSON.parse(stdout) as {
    format: { duration?: string };
    streams: { codec_name: string; sample_rate: string; channels: number }[];
  };
  const [{ codec_name: codec, sample_rate: rate, channels } = { sample_rate: '' }] = streams;
  return { codec, rateHz: Number(rate), channels, seconds: Number(file.duration) };
}
