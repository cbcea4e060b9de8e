import { expect, test } from 'vitest';
import { checkOptions } from './unsupported-options.ts';

const options = { known: { model: {} }, refused: { tools: 'are not supported' } };

test('options that are not there are told of, neutral values are not', () => {
  const request = { model: 'x', top_k: 3, best_of: 2, stream: 'false', presence_penalty: 0, tools: [], user: null };
  expect(checkOptions(request, options)).toEqual(['Ignored, because not supported: top_k, best_of.']);
});

test('options that would change the answer are refused', () => {
  expect(() => checkOptions({ tools: [{}] }, options)).toThrow('tools are not supported');
});

test('names that every object has are options like others', () => {
  expect(checkOptions({ constructor: 'x' }, options)).toHaveLength(1);
});

test('however many there are, the warning is short', () => {
  const request = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`${'x'.repeat(500)}${index}`, 1]));
  expect(checkOptions(request, options).join('').length).toBeLessThan(2_000);
});
