import { execa } from 'execa';
import { AUDIO_CLIPS, audioClip } from './audio.ts';

const RATE_HZ = 16_000;
const SILENCE = 1e-4;
const CLIPS = ['kennedy', 'dog', 'figures', 'air', 'stripe', 'sunday'] as const;

export interface LongSpeechOptions {
  seconds: number;
  /** The shortest and the longest silence between two clips. */
  pauseSeconds: [number, number];
  /** How much faster than it was spoken, 0.5 to 2; 1 unless said. */
  tempo?: number;
  /** Silence is taken out of the clips too. */
  withoutPauses?: boolean;
  /** How loud noise lies under everything; none unless said. */
  noise?: number;
}

/** Real speech of any length, the same each time: clips one after another. Mono f32 PCM at 16 kHz and its words. */
export async function longSpeech(options: LongSpeechOptions): Promise<{ samples: Float32Array; text: string }> {
  const { seconds, pauseSeconds, noise = 0 } = options;
  const clips = await Promise.all(CLIPS.map(async (name) => ({ name, samples: await decodeClip(name, options) })));
  const random = createRandom();
  const samples = new Float32Array(seconds * RATE_HZ);
  const texts: string[] = [];
  let at = 0;
  for (;;) {
    const clip = clips[Math.floor(random() * clips.length)];
    if (!clip || at + clip.samples.length > samples.length) break;
    samples.set(clip.samples, at);
    texts.push(AUDIO_CLIPS[clip.name].text);
    const [least, most] = pauseSeconds;
    at += clip.samples.length + Math.round((least + random() * (most - least)) * RATE_HZ);
  }
  const whole = samples.map((sample) => sample + noise * (random() - 0.5));
  return { samples: whole, text: texts.join(' ') };
}

async function decodeClip(name: (typeof CLIPS)[number], options: LongSpeechOptions): Promise<Float32Array> {
  const { tempo = 1, withoutPauses = false } = options;
  const input = ['-nostdin', '-v', 'error', '-i', audioClip(name), '-af', `atempo=${tempo}`];
  const output = `-f f32le -ac 1 -ar ${RATE_HZ} pipe:1`.split(' ');
  const { stdout } = await execa('ffmpeg', [...input, ...output], { encoding: 'buffer' });
  const samples = new Float32Array(new Uint8Array(stdout).buffer);
  return withoutPauses ? louderThan(samples, SILENCE) : samples;
}

/** What is left of the samples without the frames of 20 ms that are softer than this mean square. */
function louderThan(samples: Float32Array, meanSquare: number): Float32Array {
  const frame = RATE_HZ / 50;
  const frames = Array.from({ length: samples.length / frame }, (_, index) =>
    samples.subarray(index * frame, (index + 1) * frame),
  );
  const loud = frames.filter((part) => part.reduce((sum, sample) => sum + sample ** 2, 0) > meanSquare * frame);
  return Float32Array.from(loud.flatMap((part) => [...part]));
}

/** Mulberry32. */
function createRandom(): () => number {
  let state = 20_261_124;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
