import type { Token } from 'node-llama-cpp';
import { describe, expect, test } from 'vitest';
import { createTokenText } from './token-text.ts';

/** A tokenizer whose tokens are bytes. */
const bytes = (tokens: readonly Token[]) => Buffer.from(tokens).toString('utf8');

describe('createTokenText', () => {
  test('a character whose bytes are spread over tokens comes whole, others at once', () => {
    const text = createTokenText(bytes);
    const pieces = Array.from(Buffer.from('aя🎉b'), (byte) => text.push(byte as Token));
    expect(pieces).toEqual(['a', '', 'я', '', '', '', '🎉', 'b']);
    expect(text.end()).toBe('');
  });

  test('a character that never ends is dropped', () => {
    const text = createTokenText(bytes);
    expect(text.push(0x61 as Token)).toBe('a');
    expect(text.push(0xf0 as Token)).toBe('');
    expect(text.end()).toBe('');
  });

  test('a replacement character that the model means does not hold the text back for ever', () => {
    const text = createTokenText(() => 'x\uFFFD');
    const pieces = Array.from({ length: 20 }, () => text.push(0 as Token));
    expect(pieces).toContain('x\uFFFD');
  });
});
