import { open } from 'node:fs/promises';
import { findFrames } from './mpeg-frames.ts';

/** What a file is by its content. */
export interface Container {
  /** ffmpeg's one demuxer for it; absent where it is nothing that is read here. */
  demuxer?: string;
  /** In words for its sender. */
  name: string;
}

interface Signature extends Container {
  /** Bytes as Latin-1. */
  bytes: string;
  at?: number;
  /** More of it, further on. */
  and?: [number, string];
}

/** Files that hold all of their sound themselves: their demuxers open nothing else. */
const SOUNDS: Signature[] = [
  { bytes: 'RIFF', and: [8, 'WAVE'], demuxer: 'wav', name: 'a WAV' },
  { bytes: 'RF64', and: [8, 'WAVE'], demuxer: 'wav', name: 'a WAV' },
  { bytes: 'RIFX', and: [8, 'WAVE'], demuxer: 'wav', name: 'a WAV' },
  { bytes: 'riff\x2e\x91\xcf\x11', demuxer: 'w64', name: 'a Wave64' },
  { bytes: 'fLaC', demuxer: 'flac', name: 'a FLAC' },
  { bytes: 'OggS', demuxer: 'ogg', name: 'an Ogg' },
  ...['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide', 'pnot', 'styp'].map((bytes) => ({
    bytes,
    at: 4,
    demuxer: 'mov',
    name: 'an MP4 or M4A',
  })),
  { bytes: '\x1aE\xdf\xa3', demuxer: 'matroska', name: 'a WebM or Matroska' },
  { bytes: '0&\xb2u\x8ef\xcf\x11', demuxer: 'asf', name: 'a WMA' },
  { bytes: 'RIFF', and: [8, 'AVI'], demuxer: 'avi', name: 'an AVI' },
  { bytes: 'FLV\x01', demuxer: 'flv', name: 'an FLV' },
  { bytes: 'FORM', and: [8, 'AIF'], demuxer: 'aiff', name: 'an AIFF' },
  { bytes: '.snd', demuxer: 'au', name: 'an AU' },
  { bytes: 'caff', demuxer: 'caf', name: 'a CAF' },
  { bytes: '#!AMR', demuxer: 'amr', name: 'an AMR' },
  { bytes: '\x0bw', demuxer: 'ac3', name: 'an AC-3' },
  { bytes: '\x7f\xfe\x80\x01', demuxer: 'dts', name: 'a DTS' },
  { bytes: 'DSD ', demuxer: 'dsf', name: 'a DSF' },
  { bytes: 'MAC ', demuxer: 'ape', name: "a Monkey's Audio" },
  { bytes: 'MP+', demuxer: 'mpc', name: 'a Musepack' },
  { bytes: 'MPCK', demuxer: 'mpc8', name: 'a Musepack' },
  { bytes: 'TTA1', demuxer: 'tta', name: 'a True Audio' },
  { bytes: 'tBaK', demuxer: 'tak', name: 'a TAK' },
  { bytes: 'wvpk', demuxer: 'wv', name: 'a WavPack' },
  { bytes: 'Creative Voice File', demuxer: 'voc', name: 'a VOC' },
  { bytes: '\x00\x00\x01\xba', demuxer: 'mpeg', name: 'an MPEG' },
  { bytes: '\x47', and: [188, '\x47'], demuxer: 'mpegts', name: 'an MPEG transport stream' },
  { bytes: '\x47', at: 4, and: [196, '\x47'], demuxer: 'mpegts', name: 'an MPEG transport stream' },
];

/** What is sent by mistake, or to have another file or address read by it. */
const NO_SOUNDS: Signature[] = [
  { bytes: '#EXTM3U', name: 'a playlist (M3U or HLS)' },
  { bytes: '[playlist]', name: 'a playlist (PLS)' },
  { bytes: 'ffconcat', name: 'a list of other files' },
  { bytes: '<?xml', name: 'an XML text, such as a DASH manifest' },
  { bytes: '<MPD', name: 'a DASH manifest' },
  { bytes: 'v=0', name: 'the description of a stream (SDP)' },
  { bytes: '<!DOCTYPE', name: 'a web page' },
  { bytes: '<html', name: 'a web page' },
  { bytes: '%PDF', name: 'a PDF' },
  { bytes: 'PK\x03\x04', name: 'a ZIP archive' },
  { bytes: '\x1f\x8b', name: 'a gzip archive' },
  { bytes: 'BZh', name: 'a bzip2 archive' },
  { bytes: '\xfd7zXZ', name: 'an xz archive' },
  { bytes: '7z\xbc\xaf', name: 'a 7z archive' },
  { bytes: '(\xb5/\xfd', name: 'a Zstandard archive' },
];

const MP3: Container = { demuxer: 'mp3', name: 'an MP3' };
const ADTS: Container = { demuxer: 'aac', name: 'an AAC' };

/** Enough for every signature, and to find frames of MP3 or AAC behind what a cut has left. */
const LOOKED_AT_BYTES = 64 * 1024;
/** Tools write one tag; a second one comes from tools that did not find the first. */
const MOST_TAGS = 8;

/**
 * What a file is by its content, whatever its name says; nothing where that tells nothing. Reads a fixed number of bytes.
 * ffmpeg's own guess is not asked, because it takes every demuxer into account, those of playlists and scripts too.
 */
export async function containerOf(path: string): Promise<Container | undefined> {
  await using file = await open(path);
  const read = async (position: number) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT_BYTES), 0, LOOKED_AT_BYTES, position);
    return buffer.subarray(0, bytesRead);
  };
  let position = 0;
  let beginning = await read(position);
  for (let tags = 0; tags < MOST_TAGS && isTag(beginning); tags += 1) {
    position += tagBytes(beginning);
    beginning = await read(position);
  }
  const [sound, other] = [SOUNDS, NO_SOUNDS].map((signatures) => signatures.find((one) => matches(beginning, one)));
  if (sound) return sound.demuxer === 'ac3' ? { ...sound, demuxer: ac3Of(beginning) } : sound;
  // What stands behind a tag is sound for certain, or nothing is.
  if (position > 0) return findFrames(beginning) === 'adts' ? ADTS : MP3;
  if (other) return other;
  const frames = findFrames(beginning);
  return frames && (frames === 'adts' ? ADTS : MP3);
}

function matches(beginning: Buffer, { bytes, at = 0, and }: Signature): boolean {
  const stands = (place: number, text: string) => beginning.toString('latin1', place, place + text.length) === text;
  return stands(at, bytes) && (!and || stands(...and));
}

const TAG_HEADER_BYTES = 10;

function isTag(beginning: Buffer): boolean {
  return beginning.length >= TAG_HEADER_BYTES && beginning.toString('latin1', 0, 3) === 'ID3';
}

/** The whole of an ID3v2 tag: its size counts in 7 bits a byte. Source: ID3v2.4, 3.1 and 3.4. */
function tagBytes(beginning: Buffer): number {
  const size = [6, 7, 8, 9].reduce((sum, place) => sum * 128 + (beginning.readUInt8(place) & 0x7f), 0);
  const hasFooter = (beginning.readUInt8(5) & 0x10) !== 0;
  return TAG_HEADER_BYTES + size + (hasFooter ? TAG_HEADER_BYTES : 0);
}

/** Both have the same first bytes; the identification of the bit stream (ETSI TS 102 366, E.1.3.1.6) tells them apart. */
function ac3Of(beginning: Buffer): string {
  return (beginning[5] ?? 0) >> 3 > 10 ? 'eac3' : 'ac3';
}
