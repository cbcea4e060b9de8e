import type { TranscriptSegment, TranscriptWord } from '@aigolos/contracts';
import type { AsrTranscript } from './asr-engine.ts';

/** A segment as an engine gave it: `id` is ours to count. */
export type RawSegment = Omit<TranscriptSegment, 'id'> & { words: TranscriptWord[] };

interface Span {
  start: number;
  end: number;
}

/**
 * Puts segments and words in order: none before 0 or after the end of the sound, none before what came earlier, words
 * within their segment. Whisper counts in windows of 30 s that it fills with silence, so its last segment often ends
 * after the sound; one that even begins there was never said and is dropped.
 */
export function orderTranscript(raw: RawSegment[], durationSeconds: number): Pick<AsrTranscript, 'segments' | 'words'> {
  const segments: TranscriptSegment[] = [];
  const words: TranscriptWord[] = [];
  for (const { words: said, ...segment } of raw) {
    if (segment.start >= durationSeconds || segment.text.trim() === '') continue;
    const span = within(segment, { start: segments.at(-1)?.end ?? 0, end: durationSeconds });
    segments.push({ id: segments.length, ...segment, ...span });
    words.push(...orderWords(said, span));
  }
  return { segments, words };
}

function orderWords(words: TranscriptWord[], segment: Span): TranscriptWord[] {
  let earliest = segment.start;
  return words
    .filter(({ word }) => word.trim() !== '')
    .map(({ word, ...times }) => {
      const span = within(times, { start: earliest, end: segment.end });
      earliest = span.end;
      return { word: word.trim(), ...span };
    });
}

function within(span: Span, limits: Span): Span {
  const start = clamp(span.start, limits.start, limits.end);
  return { start, end: clamp(span.end, start, limits.end) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
