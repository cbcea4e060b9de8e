import { expect, test } from 'vitest';
import { checkOptions } from './unsupported-options.ts';

const options = { known: { model: {} }, refused: { tools: 'are not supported' } };

test('options that are not there are told of, neutral values are not', () => {
  const request = { model: 'x', top_k: 3, stream: 'false', presence_penalty: 0, tools: [], user: null };
  expect(checkOptions(request, options)).toEqual(['top_k is not supported and was ignored.']);
});

test('options that would change the answer are refused', () => {
  expect(() => checkOptions({ tools: [{}] }, options)).toThrow('tools are not supported');
});

test('names that every object has are options like others', () => {
  expect(checkOptions({ constructor: 'x' }, options)).toHaveLength(1);
});
