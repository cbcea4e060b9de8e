import { expect, test } from 'vitest';
import { planSpeech } from './speech-plan.ts';
import { timingsOf } from './timings.ts';

const chaptersOf = (input: string) => planSpeech(input).flatMap(({ chapter }) => chapter ?? []);
const spokenOf = (input: string) => planSpeech(input).map(({ text }) => text.trim());

test('headings are spoken without their marks, and begin chapters', () => {
  const text = '# The Storm ##\n\nIt rained. It poured.\n\n## Calm\nThe sun rose.\n### A note\nThe end.';
  expect(spokenOf(text)).toEqual([
    'The Storm',
    'It rained.',
    'It poured.',
    'Calm',
    'The sun rose.',
    'A note',
    'The end.',
  ]);
  expect(chaptersOf(text)).toEqual(['The Storm', 'Calm']);
});

test.each(['Chapter 3', 'CHAPTER XII.', 'Chapter 7: The storm', 'Глава 3', 'Глава IV. Буря', 'Kapitel 2 – Der Sturm'])(
  '%s, alone on a line, begins a chapter',
  (line) => {
    expect(chaptersOf(`Before.\n\n  ${line}  \nAfter.`)).toEqual([line]);
  },
);

test.each([
  'Chapter 3 was long.',
  'She read chapter 3',
  'Chapter 3. It rained all day. Nobody came.',
  'Chapters 3',
  '#hashtag',
  '#',
  `# ${'x'.repeat(300)}`,
  'A # b',
])('%s begins none', (line) => {
  expect(chaptersOf(`Before.\n${line}\nAfter.`)).toEqual([]);
});

test('sentences end where they end in the text, and the last one at its end', () => {
  const text = '\n\n# One\r\n\r\nFirst one here.  Second one here.\n\n  \nChapter 2\nThird one here.\n\n';
  const plan = planSpeech(text);
  const ends = plan.map(({ textEnd }) => textEnd);
  expect(ends).toEqual(ends.toSorted((a, b) => a - b));
  expect(ends.at(-1)).toBe(text.length);
  for (const { text: spoken, textEnd } of plan) expect(text.slice(0, textEnd)).toContain(spoken.trim());
  expect(planSpeech(' \n ')).toEqual([]);
});

test('takes a book, whatever it is made of, in a moment', () => {
  const begun = performance.now();
  for (const text of ['# x\n', '# ', '#', 'Chapter ', ' #', 'Chapter 1 . ', '\n', ' - '])
    planSpeech(text.repeat(200_000 / text.length));
  expect(performance.now() - begun).toBeLessThan(10_000);
});

test('chapters reach from their headings to the next, sentences from sample to sample; what is not heard has no time', () => {
  const plan = planSpeech('Before it.\n# One\nFirst one.\n...\n# Two\nSecond  one.');
  const timings = timingsOf(plan, [10, 20, 30, 0, 40, 50], { sampleRateHz: 10, durationSeconds: 15 });
  expect(timings).toEqual({
    version: 1,
    durationSeconds: 15,
    sentences: [
      { text: 'Before it.', start: 0, end: 1 },
      { text: 'One', start: 1, end: 3 },
      { text: 'First one.', start: 3, end: 6 },
      { text: 'Two', start: 6, end: 10 },
      { text: 'Second one.', start: 10, end: 15 },
    ],
    chapters: [
      { title: 'One', start: 1, end: 6 },
      { title: 'Two', start: 6, end: 15 },
    ],
  });
});
