import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SpeechFormat } from '@aigolos/contracts';
import { execa } from 'execa';
import { tailOf, toolFailed } from './ffmpeg.ts';

/** A stretch of sound: mono f32 in [-1, 1]. */
export interface PcmAudio {
  samples: Float32Array;
  sampleRateHz: number;
}

export interface EncodedAudio {
  stream: Readable;
  contentType: string;
  bytes: number;
  durationSeconds: number;
}

const FORMATS: Record<SpeechFormat, { contentType: string; arguments: string }> = {
  mp3: { contentType: 'audio/mpeg', arguments: '-c:a libmp3lame -q:a 2 -f mp3' },
  wav: { contentType: 'audio/wav', arguments: '-c:a pcm_s16le -f wav' },
};

const SILENCE: PcmAudio = { samples: new Float32Array(2_400), sampleRateHz: 24_000 };

/** See `Media.encode`. */
export async function encode(
  ffmpegPath: string,
  pcm: AsyncIterable<PcmAudio>,
  options: { format: SpeechFormat; signal: AbortSignal; tempDir: string },
): Promise<EncodedAudio> {
  options.signal.throwIfAborted();
  await mkdir(options.tempDir, { recursive: true });
  const folder = await mkdtemp(join(options.tempDir, 'encode-'));
  try {
    const path = join(folder, `speech.${options.format}`);
    const durationSeconds = await encodeToFile(ffmpegPath, pcm, { ...options, path });
    const file = await open(path);
    const { size } = await file.stat();
    const { contentType } = FORMATS[options.format];
    return { stream: file.createReadStream(), contentType, bytes: size, durationSeconds };
  } finally {
    // The open file outlives its name, and nothing is left behind if this process dies later.
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A file and not a pipe, because ffmpeg writes the length into the header (WAV) or the first frame (MP3) at the end.
 * @returns the length of the sound in seconds.
 */
async function encodeToFile(
  ffmpegPath: string,
  pcm: AsyncIterable<PcmAudio>,
  options: { format: SpeechFormat; signal: AbortSignal; path: string },
): Promise<number> {
  const source = pcm[Symbol.asyncIterator]();
  try {
    // The first piece tells the rate, without which ffmpeg cannot start.
    const first = await source.next();
    options.signal.throwIfAborted();
    const head = first.done === true ? SILENCE : first.value;
    const samples = await runEncoder(ffmpegPath, { head, source }, options);
    return samples / head.sampleRateHz;
  } finally {
    await source.return?.();
  }
}

interface Feed {
  head: PcmAudio;
  source: AsyncIterator<PcmAudio>;
}

/** @returns how many samples went in. */
async function runEncoder(
  ffmpegPath: string,
  feed: Feed,
  options: { format: SpeechFormat; signal: AbortSignal; path: string },
): Promise<number> {
  const { format, signal, path } = options;
  const ffmpeg = execa(ffmpegPath, encodeArguments(feed.head.sampleRateHz, format, path), {
    buffer: false,
    reject: false,
    stdout: 'ignore',
    cancelSignal: signal,
    killSignal: 'SIGKILL',
  });
  const stderr = tailOf(ffmpeg.stderr);
  const progress: Progress = { samples: 0, sourceError: undefined };
  try {
    await pipeline(toBytes(feed, progress), ffmpeg.stdin);
  } catch {
    // Why it broke follows below: by the abort, by the source, or because ffmpeg ended before its input did.
    ffmpeg.kill('SIGKILL');
  }
  const result = await ffmpeg;
  signal.throwIfAborted();
  if (progress.sourceError !== undefined) throw progress.sourceError.error;
  if (result.exitCode !== 0) throw toolFailed('ffmpeg', result, stderr());
  return progress.samples;
}

function encodeArguments(sampleRateHz: number, format: SpeechFormat, path: string): string[] {
  const input = `-nostdin -hide_banner -v error -f f32le -ar ${sampleRateHz} -ac 1 -i pipe:0`;
  const output = `-map_metadata -1 -fflags +bitexact -flags:a +bitexact ${FORMATS[format].arguments}`;
  return [...input.split(' '), ...output.split(' '), `file:${path}`];
}

interface Progress {
  samples: number;
  sourceError: { error: unknown } | undefined;
}

async function* toBytes(feed: Feed, progress: Progress): AsyncGenerator<Buffer> {
  try {
    let next: IteratorResult<PcmAudio> = { done: false, value: feed.head };
    while (next.done !== true) {
      const { samples, sampleRateHz } = next.value;
      if (sampleRateHz !== feed.head.sampleRateHz) {
        throw new RangeError(`Sound at ${sampleRateHz} Hz cannot follow sound at ${feed.head.sampleRateHz} Hz.`);
      }
      progress.samples += samples.length;
      yield Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
      next = await feed.source.next();
    }
  } catch (error) {
    progress.sourceError = { error };
    throw error;
  }
}
