/**
 * kbit/s by the index of a header, for the layers by their numbers there (3 is the first, 1 the third): of MPEG-1, and of its
 * extensions to lower rates. Source: ISO/IEC 11172-3, 2.4.2.3; 13818-3, 2.4.2.3.
 */
const KILOBITS: Record<number, number[]> = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  3: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
};
const LOW = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const LOW_KILOBITS: Record<number, number[]> = {
  1: LOW,
  2: LOW,
  3: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
};
/** By the version in a header: MPEG-2.5, none, MPEG-2, MPEG-1. */
const RATE_DIVISORS = [4, Number.NaN, 2, 1];
const RATES_HZ = [44_100, 48_000, 32_000];
const HEADER_BYTES = 4;
const ADTS_HEADER_BYTES = 7;
/** So many headers, each where the one before says, are no accident. */
const FRAMES_IN_ROW = 3;

type Frames = 'mpeg' | 'adts';

/** Frames of MP3 or AAC (ADTS) that follow one another, wherever they begin; up to the end where that comes sooner. */
export function findFrames(bytes: Buffer): Frames | undefined {
  for (let start = bytes.indexOf(0xff); start !== -1; start = bytes.indexOf(0xff, start + 1)) {
    for (const [kind, lengthAt] of LENGTHS) if (isRow(bytes, start, lengthAt)) return kind;
  }
  return undefined;
}

type LengthAt = (bytes: Buffer, at: number) => number | undefined;
const LENGTHS: [Frames, LengthAt][] = [
  ['adts', adtsLength],
  ['mpeg', mpegLength],
];

function isRow(bytes: Buffer, start: number, lengthAt: LengthAt): boolean {
  let at = start;
  for (let count = 0; count < FRAMES_IN_ROW; count += 1) {
    // Of a short file, what there is: but one header at its end proves nothing.
    if (at + ADTS_HEADER_BYTES > bytes.length) return count > 0 && start === 0;
    const length = lengthAt(bytes, at);
    if (length === undefined) return false;
    at += length;
  }
  return true;
}

/** The length of the frame whose header stands here. Source: ISO/IEC 11172-3, 2.4.3.1. */
function mpegLength(bytes: Buffer, at: number): number | undefined {
  const header = bytes.readUInt32BE(at);
  const [version, layer] = [(header >>> 19) & 3, (header >>> 17) & 3];
  const [bitrate, rate, padding] = [(header >>> 12) & 15, (header >>> 10) & 3, (header >>> 9) & 1];
  if (header >>> 21 !== 0x7ff || version === 1 || layer === 0 || rate === 3) return undefined;
  const isLow = version !== 3;
  const kilobits = (isLow ? LOW_KILOBITS : KILOBITS)[layer]?.[bitrate];
  const rateHz = (RATES_HZ[rate] ?? Number.NaN) / (RATE_DIVISORS[version] ?? Number.NaN);
  if (!kilobits) return undefined;
  if (layer === 3) return (Math.floor((12_000 * kilobits) / rateHz) + padding) * HEADER_BYTES;
  return Math.floor(((isLow && layer === 1 ? 72_000 : 144_000) * kilobits) / rateHz) + padding;
}

/** Source: ISO/IEC 13818-7, 6.2. */
function adtsLength(bytes: Buffer, at: number): number | undefined {
  const header = bytes.readUInt32BE(at);
  const [layer, rate] = [(header >>> 17) & 3, (header >>> 10) & 15];
  if (header >>> 20 !== 0xfff || layer !== 0 || rate > 12) return undefined;
  const length = (bytes.readUIntBE(at + 3, 3) >>> 5) & 0x1fff;
  return length >= ADTS_HEADER_BYTES ? length : undefined;
}
