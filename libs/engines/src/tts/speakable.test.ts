import { describe, expect, test } from 'vitest';
import { speakable } from './speakable.ts';

describe('speakable', () => {
  test.each(['', ' ', '\n', '...', '?!', '—', '"', '()', '\u0000', '\ud800'])('nothing can be heard of %j', (text) => {
    expect(speakable(text)).toBeUndefined();
  });

  test.each(['a', 'я', '語', '1', '5 %', '😀', '&', '+', '€'])('%j can be heard', (text) => {
    expect(speakable(text)).toBe(text);
  });

  test('control characters and broken UTF-16 become spaces', () => {
    expect(speakable('a\u0000b\r\nc\ud800d')).toBe('a b c d');
  });
});
