import { setImmediate as nextTurn } from 'node:timers/promises';

const HEADER_BYTES = 44;
/** Converted without a pause: about a millisecond's work. */
const SAMPLES_AT_ONCE = 2 ** 18;

/** Mono f32 samples as a 16-bit WAV file, which every server reads. Lets other work in between when there are many. */
export async function encodeWav(samples: Float32Array, sampleRateHz: number): Promise<Uint8Array<ArrayBuffer>> {
  const wav = new ArrayBuffer(HEADER_BYTES + samples.length * Int16Array.BYTES_PER_ELEMENT);
  writeHeader(Buffer.from(wav), sampleRateHz);
  const pcm = new Int16Array(wav, HEADER_BYTES);
  for (let at = 0; at < samples.length; at += SAMPLES_AT_ONCE) {
    const end = Math.min(at + SAMPLES_AT_ONCE, samples.length);
    for (let index = at; index < end; index += 1) {
      pcm[index] = Math.round(Math.max(-1, Math.min(1, samples[index] ?? 0)) * 0x7fff);
    }
    await nextTurn();
  }
  return new Uint8Array(wav);
}

function writeHeader(wav: Buffer, sampleRateHz: number): void {
  wav.write('RIFF', 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20); // PCM
  wav.writeUInt16LE(1, 22); // mono
  wav.writeUInt32LE(sampleRateHz, 24);
  wav.writeUInt32LE(sampleRateHz * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(wav.length - HEADER_BYTES, 40);
}
