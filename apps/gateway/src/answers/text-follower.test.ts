import { describe, expect, test } from 'vitest';
import { createTextFollower } from './text-follower.ts';

describe('following a text over attempts', () => {
  test('what a later attempt repeats is not told again', () => {
    const follower = createTextFollower();
    expect(follower.push({ fence: 1, text: 'one two ' })).toBe('one two ');
    expect(follower.push({ fence: 2, text: 'one ' })).toBe('');
    expect(follower.push({ fence: 2, text: 'two three' })).toBe('three');
    expect(follower.finish('one two three.')).toBe('.');
  });

  test('pieces of an attempt that was overtaken are too late', () => {
    const follower = createTextFollower();
    expect(follower.push({ fence: 2, text: 'b' })).toBe('b');
    expect(follower.push({ fence: 1, text: 'a' })).toBe('');
    expect(follower.finish('b')).toBe('');
  });

  test('another text than the one that was told is a contradiction', () => {
    const follower = createTextFollower();
    follower.push({ fence: 1, text: 'one' });
    expect(follower.push({ fence: 2, text: 'two' })).toBeUndefined();
    expect(follower.finish('on')).toBeUndefined();
  });

  test('pieces that come again from the first are not told again', () => {
    const follower = createTextFollower();
    follower.push({ fence: 1, text: 'one ' });
    follower.restart();
    expect(follower.push({ fence: 1, text: 'one ' })).toBe('');
    expect(follower.push({ fence: 1, text: 'two' })).toBe('two');
  });

  test('what was lost on the way comes with the end', () => {
    const follower = createTextFollower();
    follower.push({ fence: 1, text: 'one ' });
    expect(follower.finish('one two three')).toBe('two three');
  });
});
