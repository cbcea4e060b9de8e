import { describe, expect, test } from 'vitest';
import { plainPrompt } from './plain-prompt.ts';

const user = (content: string) => ({ role: 'user', content }) as const;
const assistant = (content: string) => ({ role: 'assistant', content }) as const;
const system = (content: string) => ({ role: 'system', content }) as const;

describe('plainPrompt', () => {
  test('a first message', () => {
    expect(plainPrompt([user('Hi')])).toBe('User: Hi\nAssistant:');
  });

  test('turns are parted by a blank line, and the new message waits for its answer', () => {
    expect(plainPrompt([user('Hi'), assistant('Hello.'), user('Who are you?')])).toBe(
      'User: Hi\nAssistant: Hello.\n\nUser: Who are you?\nAssistant:',
    );
    expect(plainPrompt([user('a'), assistant('b'), user('c'), assistant('d'), user('e')])).toBe(
      'User: a\nAssistant: b\n\nUser: c\nAssistant: d\n\nUser: e\nAssistant:',
    );
  });

  test('a conversation whose beginning was cut off may begin with an answer', () => {
    expect(plainPrompt([assistant('Hello.'), user('Hi')])).toBe('Assistant: Hello.\n\nUser: Hi\nAssistant:');
  });

  test('a message without an answer is a turn of its own', () => {
    expect(plainPrompt([user('Hi'), user('Are you there?')])).toBe('User: Hi\n\nUser: Are you there?\nAssistant:');
  });

  test('a system message is a paragraph of its own', () => {
    expect(plainPrompt([system('Be brief.'), user('Hi')])).toBe('Be brief.\n\nUser: Hi\nAssistant:');
  });

  test('after an answer, another one is asked for', () => {
    expect(plainPrompt([user('Hi'), assistant('Hello')])).toBe('User: Hi\nAssistant: Hello\n\nAssistant:');
  });

  test('no messages at all', () => {
    expect(plainPrompt([])).toBe('Assistant:');
  });
});
