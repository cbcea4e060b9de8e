import { endianness } from 'node:os';

const BYTES_PER_SAMPLE = Int16Array.BYTES_PER_ELEMENT;
const FULL_SCALE = 32_768;

/** Mono f32 in [-1, 1] as s16le; what is louder is clipped. */
export function toS16le(samples: Float32Array): Buffer {
  const levels = new Int16Array(samples.length);
  for (let index = 0; index < samples.length; index += 1) {
    const level = Math.round((samples[index] ?? 0) * FULL_SCALE);
    levels[index] = Math.min(FULL_SCALE - 1, Math.max(-FULL_SCALE, level));
  }
  return littleEndian(Buffer.from(levels.buffer));
}

/** s16le as mono f32, exactly: `toS16le` of it gives the same bytes. A last byte that is half a sample is left out. */
export function fromS16le(bytes: Uint8Array): Float32Array {
  const count = Math.floor(bytes.byteLength / BYTES_PER_SAMPLE);
  // Copied, because an Int16Array needs an aligned start.
  const copy = littleEndian(Buffer.from(new Uint8Array(bytes.subarray(0, count * BYTES_PER_SAMPLE)).buffer));
  const levels = new Int16Array(copy.buffer, copy.byteOffset, count);
  const samples = new Float32Array(count);
  for (let index = 0; index < count; index += 1) samples[index] = (levels[index] ?? 0) / FULL_SCALE;
  return samples;
}

/** From, or to, the machine's own order. */
function littleEndian(bytes: Buffer): Buffer {
  return endianness() === 'LE' ? bytes : bytes.swap16();
}

/** A stream of s16le as pieces of mono f32. Streams cut bytes anywhere; a sample that is split waits for its other part. */
export async function* readS16le(stream: AsyncIterable<Buffer>): AsyncGenerator<Float32Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of stream) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const whole = bytes.length - (bytes.length % BYTES_PER_SAMPLE);
    rest = bytes.subarray(whole);
    if (whole > 0) yield fromS16le(bytes.subarray(0, whole));
  }
}
