import { describe, expect, test } from 'vitest';
import { splitSentences } from './split-sentences.ts';

describe('splitSentences', () => {
  test('cuts between sentences, in any language', () => {
    expect(splitSentences('Good morning. How are you? I am fine!')).toEqual([
      'Good morning. ',
      'How are you? ',
      'I am fine!',
    ]);
    expect(splitSentences('Доброе утро. Как дела? Хорошо!', { language: 'ru' })).toEqual([
      'Доброе утро. ',
      'Как дела? ',
      'Хорошо!',
    ]);
    expect(splitSentences('今日はいい天気です。散歩に行きましょう。', { language: 'ja' })).toEqual([
      '今日はいい天気です。',
      '散歩に行きましょう。',
    ]);
  });

  test('keeps numbers, abbreviations and what follows them together', () => {
    expect(splitSentences('Dr. Smith paid 3.50 dollars. He left.')).toEqual([
      'Dr. Smith paid 3.50 dollars. ',
      'He left.',
    ]);
    expect(splitSentences('1. Wash the dishes.')).toEqual(['1. Wash the dishes.']);
  });

  test('ends a sentence at the end of a line, however short it is', () => {
    expect(splitSentences('One\nTwo\n\nThree')).toEqual(['One\n', 'Two\n', '\n', 'Three']);
  });

  test('cuts a long sentence after a comma, else at a space, else anywhere', () => {
    expect(splitSentences('aaaa bbbb, cccc dddd', { maxCharacters: 15 })).toEqual(['aaaa bbbb, ', 'cccc dddd']);
    expect(splitSentences('aaaa bbbb cccc dddd', { maxCharacters: 12 })).toEqual(['aaaa bbbb ', 'cccc dddd']);
    expect(splitSentences('abcdefghij', { maxCharacters: 4 })).toEqual(['abcd', 'efgh', 'ij']);
  });

  test('a comma within a number is no place to cut', () => {
    expect(splitSentences('it costs 1,000,000 in all', { maxCharacters: 16 })[0]).toBe('it costs ');
  });

  test('never cuts a character', () => {
    expect(splitSentences('👩‍👩‍👧'.repeat(4), { maxCharacters: 10 })).toEqual(['👩‍👩‍👧', '👩‍👩‍👧', '👩‍👩‍👧', '👩‍👩‍👧']);
  });

  test('loses nothing and keeps the limit, whatever the text is', () => {
    const texts = ['', ' ', '\n\n', '...', 'x'.repeat(1_000), 'a, '.repeat(500), '🎉'.repeat(300), 'Hi. '.repeat(200)];
    for (const text of texts) {
      const pieces = splitSentences(text, { maxCharacters: 50 });
      expect(pieces.join('')).toBe(text);
      expect(Math.max(0, ...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(50);
      expect(pieces).not.toContain('');
    }
  });

  test('takes a book, whatever it is made of, in a moment', () => {
    const books = ['It was a bright day. ', 'word ', 'x', '\n', '\r', '\u2028', '. ', 'A. '].map((text) =>
      text.repeat(20_000),
    );
    const begun = performance.now();
    for (const book of books) expect(splitSentences(book).join('')).toHaveLength(book.length);
    // What looks at the text so far for each sentence takes half a minute.
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('a character that is longer than the limit is cut rather than lost', () => {
    const text = `e${'\u0301'.repeat(300)}`;
    expect(splitSentences(text, { maxCharacters: 20 }).join('')).toBe(text);
  });

  test('takes any language tag, also one that is none', () => {
    expect(splitSentences('One. Two two.', { language: 'not a tag!' })).toHaveLength(1);
  });
});
