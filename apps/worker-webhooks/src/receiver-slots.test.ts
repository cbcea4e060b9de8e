import { expect, test } from 'vitest';
import { createReceiverSlots, type ReceiverSlots } from './receiver-slots.ts';

const waitOf = (slot: ReturnType<ReceiverSlots['take']>) => ('busyForMs' in slot ? slot.busyForMs : 0);

test('each receiver has so many places and takes none of another; who waited gets the one that is free', () => {
  const slots = createReceiverSlots(2, () => 1);
  const first = slots.take('slow', 'a');
  expect(waitOf(first)).toBe(0);
  expect(waitOf(slots.take('slow', 'b'))).toBe(0);
  for (const id of ['c', 'd']) expect(waitOf(slots.take('slow', id))).toBeGreaterThan(0);
  expect(waitOf(slots.take('other', 'e'))).toBe(0);
  expect([slots.busyForMs('c'), slots.busyForMs('f')]).toEqual([expect.any(Number), undefined]);
  if ('free' in first) first.free();
  expect(slots.busyForMs('c')).toBeUndefined();
  expect(waitOf(slots.take('slow', 'c'))).toBe(0);
  expect(slots.busyForMs('d')).toBeGreaterThan(0);
});

test('the longer the line, the longer the wait, up to 10 s', () => {
  const slots = createReceiverSlots(2, () => 1);
  for (const id of ['a', 'b']) slots.take('slow', id);
  const waits = Array.from({ length: 1_000 }, (_, i) => waitOf(slots.take('slow', `${i}`)));
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect([waits[0], waits.at(-1)]).toEqual([75, 10_050]);
});
