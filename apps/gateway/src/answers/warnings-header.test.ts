import { expect, test } from 'vitest';
import { addWarnings, warningsHeader } from './warnings-header.ts';

test('warnings cannot end the header, whatever a caller sent', () => {
  expect(warningsHeader(['a\r\nSet-Cookie: b', 'ü'])).toBe('a?Set-Cookie: b | ?');
  expect(warningsHeader([])).toBeUndefined();
});

test('warnings of a query and of a job stand beside each other, each once', () => {
  let said: string | undefined;
  const reply = { getHeader: () => said, header: (_: string, value: string) => void (said = value) };
  const add = (warnings: string[]) => addWarnings(reply as unknown as Parameters<typeof addWarnings>[0], warnings);
  add([]);
  expect(said).toBeUndefined();
  add(['a']);
  add(['b', 'c']);
  add(['a', 'c', 'd']);
  expect(said).toBe('a | b | c | d');
});
