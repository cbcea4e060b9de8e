import { expect, test } from 'vitest';
import { wordErrorRate } from './word-error-rate.ts';

test.each([
  ['the small dog', 'The small dog.', 0],
  ['the small dog', 'the small cat', 1 / 3],
  ['the small dog', 'small dog', 1 / 3],
  ['the small dog', 'the very small dog', 1 / 3],
  ['the small dog', 'dog small the', 2 / 3],
  ['the small dog', '', 1],
  ['', '', 0],
  ['', 'two words', 2],
  ['Привет, мир', 'привет мир', 0],
])('of "%s" heard as "%s" a share of %d is wrong', (reference, heard, rate) => {
  expect(wordErrorRate(reference, heard)).toBeCloseTo(rate);
});
