import { describe, expect, test } from 'vitest';
import { readCues } from '../../test/subtitles.ts';
import { toSubRip, toWebVtt } from './subtitles.ts';

const LONG =
  'It was a bright cold day in April, and the clocks were striking thirteen, while Winston Smith, his chin nuzzled ' +
  'into his breast, slipped quickly through the doors.';
const SENTENCES = [
  { text: 'Chapter 1', start: 0, end: 0.5 },
  { text: LONG, start: 0.5, end: 12.345678 },
  {
    text: '天気がいいから散歩に行きましょうと彼は言ったが誰も返事をしなかったので一人で出かけることにした。',
    start: 12.5,
    end: 16,
  },
  { text: 'x'.repeat(120), start: 16, end: 3_661.0004 },
  { text: 'a < b & c > d --> e', start: 3_661.0004, end: 3_662 },
];

describe.each([
  ['SubRip', toSubRip, /\d\d:\d\d:\d\d,\d\d\d/],
  ['WebVTT', toWebVtt, /\d\d:\d\d:\d\d\.\d\d\d/],
] as const)('%s', (_name, write, clock) => {
  const text = [...write(SENTENCES)].join('');
  const entries = readCues(text);

  test('is what a parser reads: every sentence at its time, in pieces that follow each other', () => {
    expect(text).toMatch(clock);
    for (const { text: sentence, start, end } of SENTENCES.slice(0, 4)) {
      const cues = entries.filter((cue) => cue.from >= start * 1_000 - 1 && cue.to <= end * 1_000 + 1);
      expect([cues[0]?.from, cues.at(-1)?.to]).toEqual([Math.round(start * 1_000), Math.round(end * 1_000)]);
      for (const [index, cue] of cues.entries()) expect(cue.from).toBe(cues[index - 1]?.to ?? cue.from);
      expect(
        cues
          .map((cue) => cue.text)
          .join('')
          .replaceAll(/\s/g, ''),
      ).toBe(sentence.replaceAll(' ', ''));
    }
  });

  test('has two lines of 42 columns at most, cut at clauses', () => {
    for (const cue of entries) {
      const lines = cue.text.split('\n');
      expect(lines.length).toBeLessThanOrEqual(2);
      for (const line of lines) {
        const wide = line.match(/[\p{Script=Han}\p{Script=Hiragana}。]/gu)?.length ?? 0;
        expect(line.length + wide).toBeLessThanOrEqual(42);
      }
    }
    const ofLong = entries
      .filter(({ from }) => from >= 500 && from < 12_000)
      .map((cue) => cue.text.replaceAll('\n', ' '));
    expect(ofLong).toEqual([
      'It was a bright cold day in April, and the clocks were striking thirteen,',
      'while Winston Smith, his chin nuzzled into his breast,',
      'slipped quickly through the doors.',
    ]);
  });
});

test('a longer piece is shown longer', () => {
  const entries = readCues([...toSubRip([{ text: LONG, start: 0, end: 10 }])].join(''));
  for (const { from, to, text } of entries) {
    const share = text.length / entries.reduce((sum, cue) => sum + cue.text.length, 0);
    expect((to - from) / 10_000).toBeCloseTo(share, 2);
  }
});

test('what takes no time is shown all the same', () => {
  expect(readCues([...toWebVtt([{ text: 'Hm.', start: 2, end: 2 }])].join(''))).toMatchObject([
    { from: 2_000, to: 2_001 },
  ]);
});

test('what means something to a reader of subtitles is written otherwise', () => {
  expect([...toWebVtt(SENTENCES)].join('')).toContain('a &lt; b &amp; c &gt; d --&gt; e');
  expect([...toSubRip(SENTENCES)].join('')).toContain('a < b & c > d → e');
});

test('a book is written page by page, and read as one', () => {
  const book = Array.from({ length: 500 }, (_, index) => ({
    text: `Sentence ${index}.`,
    start: index,
    end: index + 1,
  }));
  for (const write of [toSubRip, toWebVtt]) {
    const pages = [...write(book)];
    expect(pages.length).toBeGreaterThan(5);
    expect(readCues(pages.join('')).map(({ text }) => text)).toEqual(book.map(({ text }) => text));
  }
});
