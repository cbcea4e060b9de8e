import { describe, expect, test } from 'vitest';
import { createStopFilter } from './stop-filter.ts';

function filtered(pieces: string[], stops: string[]): { out: string[]; stopped: boolean } {
  const filter = createStopFilter(stops);
  const out = pieces.map((piece) => filter.push(piece));
  out.push(filter.stopped ? '' : filter.end());
  return { out, stopped: filter.stopped };
}

describe('createStopFilter', () => {
  test('without stop strings, or with an empty one, everything passes at once', () => {
    expect(filtered(['a', 'b'], [])).toEqual({ out: ['a', 'b', ''], stopped: false });
    expect(filtered(['a', 'b'], [''])).toEqual({ out: ['a', 'b', ''], stopped: false });
  });

  test('nothing of a stop string or after it comes out', () => {
    expect(filtered(['one STOP two', 'three'], ['STOP'])).toEqual({ out: ['one ', '', ''], stopped: true });
  });

  test('a stop string is found however it is split', () => {
    const text = 'one two\nUser: three';
    for (let first = 1; first < text.length; first++) {
      const { out, stopped } = filtered([text.slice(0, first), ...text.slice(first).split('')], ['\nUser:']);
      expect(out.join('')).toBe('one two');
      expect(stopped).toBe(true);
    }
  });

  test('what only began like a stop string comes out as soon as that is sure', () => {
    expect(filtered(['a\n', 'Us', 'ual'], ['\nUser:'])).toEqual({ out: ['a', '', '\nUsual', ''], stopped: false });
  });

  test('what was held back comes out at the end', () => {
    expect(filtered(['a\nUse'], ['\nUser:'])).toEqual({ out: ['a', '\nUse'], stopped: false });
  });

  test('the earliest of several ends it', () => {
    expect(filtered(['abcdef'], ['ef', 'cd'])).toEqual({ out: ['ab', ''], stopped: true });
  });

  test('a stop string that overlaps itself is found', () => {
    expect(filtered(['a', 'a', 'a', 'b'], ['aab']).out.join('')).toBe('a');
  });
});
