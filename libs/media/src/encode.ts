import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SpeechFormat } from '@aigolos/contracts';
import { execa } from 'execa';
import { type Tools, tailOf, toolFailed } from './ffmpeg.ts';
import { contentTypeOf, FORMATS } from './speech-formats.ts';

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

export interface EncodeOptions {
  format: SpeechFormat;
  /** May a WAV of it be larger than 4 GB? Then it has the header that allows for this (RF64), which not every reader knows. */
  isHuge?: boolean;
}

const SILENCE: PcmAudio = { samples: new Float32Array(2_400), sampleRateHz: 24_000 };

/** See `Media.encode`. */
export async function encode(
  tools: Tools,
  pcm: AsyncIterable<PcmAudio>,
  options: EncodeOptions & { signal: AbortSignal; tempDir: string },
): Promise<EncodedAudio> {
  options.signal.throwIfAborted();
  await mkdir(options.tempDir, { recursive: true });
  const folder = await mkdtemp(join(options.tempDir, 'encode-'));
  try {
    const path = join(folder, `speech.${options.format}`);
    const durationSeconds = await encodeToFile(tools, pcm, { ...options, path });
    const file = await open(path);
    const { size } = await file.stat();
    const contentType = contentTypeOf(options.format);
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
  tools: Tools,
  pcm: AsyncIterable<PcmAudio>,
  options: EncodeOptions & { signal: AbortSignal; path: string },
): Promise<number> {
  const source = pcm[Symbol.asyncIterator]();
  try {
    // The first piece tells the rate, without which ffmpeg cannot start.
    const first = await source.next();
    options.signal.throwIfAborted();
    const head = first.done === true ? SILENCE : first.value;
    const { format, isHuge = false, signal, path } = options;
    const output = [...FORMATS[format].file.split(' '), ...(isHuge && format === 'wav' ? ['-rf64', 'auto'] : [])];
    const encoder = await startEncoder(tools, { head, source }, { output: [...output, `file:${path}`], signal });
    encoder.stdout.resume();
    return (await encoder.ended) / head.sampleRateHz;
  } finally {
    await source.return?.();
  }
}

/**
 * See `Media.encodeStream`. ffmpeg takes no more than is read of it, and reads no more than it is given.
 */
export async function* encodeStream(
  tools: Tools,
  pcm: AsyncIterable<PcmAudio>,
  { format, signal }: { format: SpeechFormat; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const source = pcm[Symbol.asyncIterator]();
  const leaving = new AbortController();
  try {
    const first = await source.next();
    signal.throwIfAborted();
    const head = first.done === true ? SILENCE : first.value;
    const output = [...FORMATS[format].stream.split(' '), 'pipe:1'];
    const either = AbortSignal.any([signal, leaving.signal]);
    const encoder = await startEncoder(tools, { head, source }, { output, signal: either });
    encoder.ended.catch(() => {});
    yield* encoder.stdout as AsyncIterable<Buffer>;
    await encoder.ended;
  } finally {
    leaving.abort();
    await source.return?.();
  }
}

interface Feed {
  head: PcmAudio;
  source: AsyncIterator<PcmAudio>;
}

interface Encoder {
  stdout: Readable;
  /** How many samples went in, once ffmpeg has ended well. */
  ended: Promise<number>;
}

async function startEncoder(
  tools: Tools,
  feed: Feed,
  { output, signal }: { output: string[]; signal: AbortSignal },
): Promise<Encoder> {
  const args = encodeArguments(feed.head.sampleRateHz, output);
  const confined = await tools.confine(tools.ffmpegPath, args, { writesFiles: true });
  signal.throwIfAborted();
  const ffmpeg = execa(confined.program, confined.args, {
    buffer: false,
    reject: false,
    cancelSignal: signal,
    killSignal: 'SIGKILL',
  });
  const stderr = tailOf(ffmpeg.stderr);
  const progress: Progress = { samples: 0, sourceError: undefined };
  const run = async () => {
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
  };
  return { stdout: ffmpeg.stdout, ended: run() };
}

function encodeArguments(sampleRateHz: number, output: string[]): string[] {
  // Nothing of raw samples is to be found out; ffmpeg would wait for seconds of sound to look at.
  const input = `-nostdin -hide_banner -v error -probesize 32 -analyzeduration 0 -f f32le -ar ${sampleRateHz} -ac 1 -i pipe:0`;
  const plain = '-map_metadata -1 -fflags +bitexact -flags:a +bitexact';
  return [...input.split(' '), ...plain.split(' '), ...output];
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
