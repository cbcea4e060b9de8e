import { assert, constantFrom, integer, pre, property } from 'fast-check';
import { expect, test } from 'vitest';
import { isSameHash, makeApiKey, readApiKey } from './api-key.ts';

const MISTYPED = expect.objectContaining({ code: 'API_KEY_MISTYPED' });

test('a key says which record is its own, and by which hash', () => {
  const { key, id, hash } = makeApiKey();
  expect(key).toMatch(/^ag_[0-9a-f]{32}_[0-9A-Za-z]{38}$/);
  expect(readApiKey(key)).toEqual({ id, hash });
});

test('two keys have nothing in common by which one is guessed from the other', () => {
  const keys = Array.from({ length: 1_000 }, () => makeApiKey().key.slice(36, 68));
  expect(new Set(keys).size).toBe(1_000);
  // At each place of the secret the most common of 62 characters comes about 30 times in a thousand, and never 80.
  for (let place = 0; place < 32; place += 1) {
    const counts = Map.groupBy(keys, (secret) => secret[place]);
    expect(Math.max(...[...counts.values()].map(({ length }) => length))).toBeLessThan(80);
  }
});

test('a key with one wrong character, or cut off anywhere, is told by its checksum', () => {
  const { key } = makeApiKey();
  const place = integer({ min: 3, max: key.length - 1 });
  const character = constantFrom(...Array.from('0123456789abcdefXYZ'));
  assert(
    property(place, character, (at, other) => {
      pre(key[at] !== other);
      expect(() => readApiKey(key.slice(0, at) + other + key.slice(at + 1))).toThrow(MISTYPED);
      expect(() => readApiKey(key.slice(0, at))).toThrow(MISTYPED);
    }),
  );
  expect(() => readApiKey(`${key}x`)).toThrow(MISTYPED);
});

test('a key of the earlier form is known by its whole text, and other texts are no keys', () => {
  expect(readApiKey('sk-aigolos-abc')).toEqual({ id: undefined, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect([readApiKey('sk-abc'), readApiKey('')]).toEqual([undefined, undefined]);
});

test('hashes are the same or not', () => {
  const [{ hash }, { hash: other }] = [makeApiKey(), makeApiKey()];
  expect([isSameHash(hash, hash), isSameHash(hash, other), isSameHash(hash, '')]).toEqual([true, false, false]);
});
