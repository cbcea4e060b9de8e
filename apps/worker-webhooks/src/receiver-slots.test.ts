import { expect, test } from 'vitest';
import { createReceiverSlots } from './receiver-slots.ts';

test('each receiver has so many places and takes none of another; the longer the line, the rarer the asking', () => {
  const slots = createReceiverSlots(2, () => 1);
  const waitOf = (slot: ReturnType<typeof slots.take>) => ('busyForMs' in slot ? slot.busyForMs : 0);
  const first = slots.take('slow', 'a');
  expect(waitOf(slots.take('slow', 'b'))).toBe(0);
  const waits = ['c', 'd', 'e', 'c'].map((id) => waitOf(slots.take('slow', id)));
  expect(waits).toEqual([250, 250, 500, 500]);
  expect(waitOf(slots.take('other', 'f'))).toBe(0);
  for (let i = 0; i < 1_000; i++) slots.take('slow', `g${i}`);
  expect(waitOf(slots.take('slow', 'h'))).toBe(10_000);
  if ('free' in first) first.free();
  expect(waitOf(slots.take('slow', 'c'))).toBe(0);
  expect(waitOf(slots.take('slow', 'd'))).toBeGreaterThan(0);
});
