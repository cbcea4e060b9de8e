import { expect, test } from 'vitest';
import { warningsHeader } from './warnings-header.ts';

test('warnings cannot end the header, whatever a caller sent', () => {
  expect(warningsHeader(['a\r\nSet-Cookie: b', 'ü'])).toBe('a?Set-Cookie: b | ?');
  expect(warningsHeader([])).toBeUndefined();
});
