import { TtsServiceError } from '@aigolos/contracts';
import type { TtsAudio } from './tts-engine.ts';

/** How the samples of a WAV are written; the `fmt ` chunk. */
interface WavFormat {
  encoding: 'int16' | 'float32';
  channels: number;
  sampleRateHz: number;
}

const PCM = 1;
const IEEE_FLOAT = 3;
/** Its real format stands further on, in the first two bytes of a GUID. */
const EXTENSIBLE = 0xfffe;
/** A header is some hundred bytes at most, however many chunks it has. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Reads a WAV as it arrives: 16-bit or float samples, channels mixed into one. Writers that cannot seek leave the sizes
 * open (0, or close to 2^31 or 2^32); then the samples go to the end.
 * @throws TtsServiceError (`TTS_ENGINE_REJECTED`) when it is no such WAV, (`TTS_ENGINE_FAILED`, retryable) when it ends
 *   before its own size says so. No bytes at all are no audio.
 */
export async function* readWav(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TtsAudio> {
  let pending = Buffer.alloc(0);
  let header: WavHeader | undefined;
  let left = Number.POSITIVE_INFINITY;
  for await (const chunk of chunks) {
    pending = Buffer.concat([pending, chunk]);
    if (header === undefined) {
      header = parseHeader(pending);
      if (header === undefined) continue;
      pending = pending.subarray(header.dataOffset);
      left = header.dataBytes;
    }
    const frameBytes = bytesPerFrame(header.format);
    const usable = Math.min(left, pending.length);
    const whole = usable - (usable % frameBytes);
    if (whole > 0) yield toAudio(pending.subarray(0, whole), header.format);
    pending = pending.subarray(whole);
    left -= whole;
    if (left < frameBytes) return;
  }
  if (header === undefined && pending.length > 0) throw notWav();
  if (header !== undefined && Number.isFinite(left)) {
    throw new TtsServiceError('The audio was cut.', { code: 'TTS_ENGINE_FAILED', retryable: true });
  }
}

interface WavHeader {
  format: WavFormat;
  dataOffset: number;
  /** Infinity where the writer did not know. */
  dataBytes: number;
}

/** The header, or undefined while more bytes are needed. */
function parseHeader(bytes: Buffer): WavHeader | undefined {
  if (bytes.length < 12) return undefined;
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') throw notWav();
  let format: WavFormat | undefined;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    if (id === 'data') {
      if (format === undefined) throw notWav();
      const isOpen = size === 0 || size >= 0x7fff_0000;
      return { format, dataOffset: at + 8, dataBytes: isOpen ? Number.POSITIVE_INFINITY : size };
    }
    if (at + 8 + size > MAX_HEADER_BYTES) throw notWav();
    if (id === 'fmt ' && at + 8 + size <= bytes.length) format = parseFormat(bytes.subarray(at + 8, at + 8 + size));
    // Chunks begin at even offsets.
    at += 8 + size + (size % 2);
  }
  return undefined;
}

function parseFormat(chunk: Buffer): WavFormat {
  if (chunk.length < 16) throw notWav();
  const tag = chunk.readUInt16LE(0);
  const code = tag === EXTENSIBLE && chunk.length >= 26 ? chunk.readUInt16LE(24) : tag;
  const bits = chunk.readUInt16LE(14);
  const channels = chunk.readUInt16LE(2);
  const sampleRateHz = chunk.readUInt32LE(4);
  const isInt16 = code === PCM && bits === 16;
  const isFloat32 = code === IEEE_FLOAT && bits === 32;
  if (!(isInt16 || isFloat32) || channels === 0 || sampleRateHz === 0) throw notWav();
  return { encoding: isInt16 ? 'int16' : 'float32', channels, sampleRateHz };
}

function bytesPerFrame({ encoding, channels }: WavFormat): number {
  return (encoding === 'int16' ? 2 : 4) * channels;
}

function toAudio(bytes: Buffer, format: WavFormat): TtsAudio {
  const { encoding, channels, sampleRateHz } = format;
  const sampleAt =
    encoding === 'int16'
      ? (index: number) => bytes.readInt16LE(index * 2) / 32_768
      : (index: number) => bytes.readFloatLE(index * 4);
  const samples = new Float32Array(bytes.length / bytesPerFrame(format));
  for (let frame = 0; frame < samples.length; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += sampleAt(frame * channels + channel);
    samples[frame] = sum / channels;
  }
  return { samples, sampleRateHz };
}

function notWav(): TtsServiceError {
  return new TtsServiceError('This is not a WAV of 16-bit or float samples.', { code: 'TTS_ENGINE_REJECTED' });
}
