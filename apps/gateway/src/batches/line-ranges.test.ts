import { assert, integer, property, uniqueArray } from 'fast-check';
import { expect, test } from 'vitest';
import { addTo, isIn, type Ranges } from './line-ranges.ts';

test('ranges hold what was added, in whatever order, and nothing else, in as few ranges as there can be', () => {
  const numbers = uniqueArray(integer({ min: 1, max: 60 }));
  assert(
    property(numbers, (added) => {
      const ranges: Ranges = [];
      for (const number of added) addTo(ranges, number);
      const held = Array.from({ length: 62 }, (_, number) => number).filter((number) => isIn(ranges, number));
      expect(held).toEqual(added.toSorted((a, b) => a - b));
      expect(ranges).toHaveLength(held.filter((number) => !held.includes(number - 1)).length);
    }),
  );
});
