import { describe, expect, test } from 'vitest';
import { createSlots } from './slots.ts';

const live = new AbortController().signal;

describe('createSlots', () => {
  test('lends the free one with the highest rank', async () => {
    const slots = createSlots([1, 5, 3]);
    expect(await slots.acquire(live, (slot) => slot)).toBe(5);
    expect(await slots.acquire(live, (slot) => slot)).toBe(3);
  });

  test('lends each to one borrower at a time, first come, first served', async () => {
    const slots = createSlots(['only']);
    await slots.acquire(live);
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (borrower) => {
      const slot = await slots.acquire(live);
      order.push(borrower);
      slots.release(slot);
    });
    slots.release('only');
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  test('an abort ends the wait with its reason and the turn goes to the next', async () => {
    const slots = createSlots(['only']);
    await slots.acquire(live);
    const controller = new AbortController();
    const impatient = slots.acquire(controller.signal);
    const patient = slots.acquire(live);
    controller.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    slots.release('only');
    expect(await patient).toBe('only');
  });

  test('an abort after a slot was handed over does not lose it', async () => {
    const slots = createSlots(['only']);
    await slots.acquire(live);
    const controller = new AbortController();
    const lucky = slots.acquire(controller.signal);
    slots.release('only');
    controller.abort(new Error('too late'));
    expect(await lucky).toBe('only');
    slots.release('only');
    expect(await slots.acquire(live)).toBe('only');
  });
});
