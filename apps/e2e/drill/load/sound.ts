import { createRandom } from '../random.ts';

const SOUND_RATE_HZ = 16_000;

/** Noise that follows from a seed, 16-bit mono at 16 kHz: each second of it is one word to the test engine. */
export function makeSamples(seed: number, seconds: number): Int16Array {
  const random = createRandom(seed);
  return Int16Array.from({ length: seconds * SOUND_RATE_HZ }, () => random.between(-8_000, 8_000));
}

/** A WAV file of them. */
export function toWav(samples: Int16Array): Buffer {
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SOUND_RATE_HZ, 24);
  header.writeUInt32LE(SOUND_RATE_HZ * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
