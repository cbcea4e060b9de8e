export interface WavOptions {
  sampleRateHz?: number;
  channels?: number;
  float?: boolean;
  extensible?: boolean;
  /** What the header says, whatever the samples are. */
  bits?: number;
  size?: number;
  /** Content of a chunk before the samples, and the size that it claims. */
  before?: Buffer;
  beforeSize?: number;
  /** Bytes after the samples. */
  after?: Buffer;
}

/** A WAV, well-formed unless told otherwise. */
export function wavOf(samples: Float32Array, options: WavOptions): Buffer {
  const { sampleRateHz = 24_000, channels = 1, float = false, extensible = false } = options;
  const bits = options.bits ?? (float ? 32 : 16);
  const data = Buffer.from(float ? samples.buffer : Int16Array.from(samples, (sample) => sample * 32_768).buffer);
  const format = Buffer.alloc(extensible ? 40 : 16);
  format.writeUInt16LE(extensible ? 0xfffe : formatCode(float), 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(sampleRateHz, 4);
  format.writeUInt32LE((sampleRateHz * channels * bits) / 8, 8);
  format.writeUInt16LE((channels * bits) / 8, 12);
  format.writeUInt16LE(bits, 14);
  if (extensible) format.writeUInt16LE(formatCode(float), 24);
  const { before, beforeSize, size = data.length, after = Buffer.alloc(0) } = options;
  const chunks = Buffer.concat([
    chunk('fmt ', format),
    ...(before === undefined ? [] : [chunk('LIST', before, beforeSize)]),
    chunk('data', data, size),
    after,
  ]);
  return Buffer.concat([Buffer.from('RIFF'), uint32(chunks.length + 4), Buffer.from('WAVE'), chunks]);
}

function formatCode(float: boolean): number {
  return float ? 3 : 1;
}

function chunk(id: string, content: Buffer, size = content.length): Buffer {
  const padding = Buffer.alloc(content.length % 2);
  return Buffer.concat([Buffer.from(id), uint32(size), content, padding]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
