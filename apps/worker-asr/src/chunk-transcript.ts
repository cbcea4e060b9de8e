import type { TranscriptionCheckpoint } from '@aigolos/contracts';
import type { AsrTranscript } from '@aigolos/engines/asr';
import type { PcmChunk } from '@aigolos/media';

type ChunkTranscript = TranscriptionCheckpoint['chunks'][number];

/** At least this share of a chunk stands, so that each chunk brings the end nearer. */
const LEAST_SHARE = 1 / 3;

/**
 * What of a chunk's transcript stands, in seconds of the whole file, and where the next chunk begins. Where the chunk
 * had to end though somebody was speaking, the last segment does not stand: its last word may be half of one, so the
 * next chunk begins before it and hears it whole.
 */
export function settleChunk(
  chunk: PcmChunk,
  { segments, words }: Pick<AsrTranscript, 'segments' | 'words'>,
): ChunkTranscript & { endSeconds: number } {
  const [previous, last] = segments.slice(-2);
  const boundary = previous && last && (previous.end + last.start) / 2;
  const length = chunk.endSeconds - chunk.startSeconds;
  if (chunk.endsInPause || boundary === undefined || boundary < length * LEAST_SHARE) {
    return { ...inFile(chunk, { segments, words }, chunk.endSeconds), endSeconds: chunk.endSeconds };
  }
  const endSeconds = chunk.endNear(chunk.startSeconds + boundary);
  const standing = {
    segments: segments.slice(0, -1),
    words: words.filter(({ start, end }) => (start + end) / 2 < boundary),
  };
  return { ...inFile(chunk, standing, endSeconds), endSeconds };
}

/** Counts times from the beginning of the file; none is after the end of the chunk. */
function inFile(
  { startSeconds }: PcmChunk,
  { segments, words }: Pick<AsrTranscript, 'segments' | 'words'>,
  endSeconds: number,
): ChunkTranscript {
  // To the millisecond, and down: a rounded time must not lie after the end of the file.
  const shift = (seconds: number) =>
    Math.min(Math.round((seconds + startSeconds) * 1_000) / 1_000, Math.floor(endSeconds * 1_000) / 1_000);
  return {
    segments: segments.map((segment) => ({
      ...segment,
      seek: Math.round(startSeconds * 100) + segment.seek,
      start: shift(segment.start),
      end: shift(segment.end),
    })),
    words: words.map(({ word, start, end }) => ({ word, start: shift(start), end: shift(end) })),
  };
}
