import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { createMedia } from '../src/media.ts';

export const media = createMedia({ ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' });

/** 2.9 s of speech, 16 kHz mono. */
export const SPEECH = fixture('spk1_snt1.wav');
/** 11 s of speech, 44.1 kHz stereo. */
export const KENNEDY = fixture('jfk.flac');
export const SPEECH_SECONDS = 2.87;

/** The same speech in the containers and codecs that people send; what ffmpeg calls each, and how it is made. */
export const CLIPS = {
  'speech.mp3': { container: 'mp3', audioCodec: 'mp3', make: '-c:a libmp3lame' },
  'speech.ogg': { container: 'ogg', audioCodec: 'opus', make: '-c:a libopus' },
  'vorbis.ogg': { container: 'ogg', audioCodec: 'vorbis', make: '-c:a libvorbis' },
  // ffmpeg writes the index last unless it is told otherwise.
  'index-at-end.m4a': { container: 'mov,mp4,m4a,3gp,3g2,mj2', audioCodec: 'aac', make: '-c:a aac' },
  'speech.webm': { container: 'matroska,webm', audioCodec: 'opus', make: '-c:a libopus' },
  'mulaw-8khz.wav': { container: 'wav', audioCodec: 'pcm_mulaw', make: '-c:a pcm_mulaw -ar 8000' },
  '24-bit.wav': { container: 'wav', audioCodec: 'pcm_s24le', make: '-c:a pcm_s24le -ar 48000 -ac 2' },
  'with-video.mp4': {
    container: 'mov,mp4,m4a,3gp,3g2,mj2',
    audioCodec: 'aac',
    make: '-f lavfi -i testsrc=size=64x64:rate=5 -c:v mpeg4 -c:a aac -shortest',
  },
} as const;
export type ClipName = keyof typeof CLIPS;

export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'aigolos-media-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes one of the clips into a folder. @returns its path. */
export async function makeClip(folder: string, name: ClipName): Promise<string> {
  return ffmpeg(join(folder, name), ['-i', SPEECH, ...CLIPS[name].make.split(' ')]);
}

/** Runs ffmpeg to make a file. @returns its path. */
export async function ffmpeg(path: string, input: string[]): Promise<string> {
  await execa('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...input, path]);
  return path;
}

export async function writeClip(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The first bytes of a file. */
export async function beginningOf(path: string, bytes: number): Promise<Uint8Array> {
  return (await readFile(path)).subarray(0, bytes);
}

export async function decodeAll(path: string, sampleRateHz = 16_000): Promise<Float32Array> {
  return concat(await Array.fromAsync(media.decode(path, { sampleRateHz }, new AbortController().signal)));
}

export function concat(pieces: Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Root mean square: how loud the samples are. */
export function loudness(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}

function fixture(file: string): string {
  return join(import.meta.dirname, '..', '..', 'testing', 'fixtures', 'audio', file);
}
