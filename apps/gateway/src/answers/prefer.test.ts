import { describe, expect, test } from 'vitest';
import { parsePrefer, preferenceApplied } from './prefer.ts';

describe('the Prefer header', () => {
  test.each([
    [undefined, { respondAsync: false }],
    ['respond-async', { respondAsync: true }],
    ['Respond-Async, WAIT=10', { respondAsync: true, waitSeconds: 10 }],
    ['wait="10"; foo="a, wait=3", handling=lenient', { respondAsync: false, waitSeconds: 10 }],
    ['handling="respond-async, wait=1"', { respondAsync: false }],
    ['wait=5, wait=9', { respondAsync: false, waitSeconds: 5 }],
    ['wait=soon', { respondAsync: false }],
    ['wait=-1', { respondAsync: false }],
    ['wait=0', { respondAsync: false, waitSeconds: 0 }],
    ['wait=999999', { respondAsync: false, waitSeconds: 300 }],
    ['foo; bar, ,, respond-async', { respondAsync: true }],
  ])('%s', (header, preference) => {
    expect(parsePrefer(header)).toEqual(preference);
  });

  test('is told back as far as it was applied', () => {
    expect(preferenceApplied({ respondAsync: true, waitSeconds: 3 })).toBe('respond-async, wait=3');
    expect(preferenceApplied({ respondAsync: false })).toBeUndefined();
  });
});
