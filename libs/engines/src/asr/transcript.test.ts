import { describe, expect, test } from 'vitest';
import { orderTranscript, type RawSegment } from './transcript.ts';

describe('orderTranscript', () => {
  test('nothing ends after the sound, as Whisper, which fills its windows with silence, would have it', () => {
    const { segments, words } = orderTranscript(
      [segment(0, 3.2, ' The small dog.', [' The', 0, 0.5], [' small', 0.5, 1], [' dog.', 1, 3.1])],
      2.87,
    );
    expect(segments).toMatchObject([{ id: 0, start: 0, end: 2.87, text: ' The small dog.' }]);
    expect(words.at(-1)).toEqual({ word: 'dog.', start: 1, end: 2.87 });
  });

  test('what would begin after the end was never said, and a segment without text is none', () => {
    const { segments } = orderTranscript([segment(0, 1, ' A.'), segment(1, 2, '  '), segment(5, 6, ' B.')], 5);
    expect(segments.map(({ id, text }) => [id, text])).toEqual([[0, ' A.']]);
  });

  test('times that overlap or run backwards are put in order, and words stay in their segment', () => {
    const raw = [segment(0, 4, ' A b.', [' A', 2, 1], [' b.', 0, 9]), segment(3, 5, ' C.', [' C.', 2, 3])];
    expect(orderTranscript(raw, 10)).toMatchObject({
      segments: [
        { id: 0, start: 0, end: 4 },
        { id: 1, start: 4, end: 5 },
      ],
      words: [
        { word: 'A', start: 2, end: 2 },
        { word: 'b.', start: 2, end: 4 },
        { word: 'C.', start: 4, end: 4 },
      ],
    });
  });
});

function segment(start: number, end: number, text: string, ...words: [string, number, number][]): RawSegment {
  const unknown = { seek: 0, tokens: [], temperature: 0, avg_logprob: 0, compression_ratio: 0, no_speech_prob: 0 };
  return { ...unknown, start, end, text, words: words.map(([word, from, to]) => ({ word, start: from, end: to })) };
}
