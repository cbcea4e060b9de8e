import type { ChatMessage } from '@aigolos/contracts';
import { describe, expect, test } from 'vitest';
import { describeLlmEngine } from '../conformance/llm-engine.ts';
import type { LlmOptions } from './llm-engine.ts';
import { createTestLlmEngine } from './test-llm-engine.ts';

const longQuestion = '[[words 2000]] and more';

describeLlmEngine('the test engine', async () => createTestLlmEngine({ paceMsPerToken: 1 }), {
  longQuestion,
  unicodeQuestion: 'Привет 🎉',
});
describeLlmEngine('the test engine without a pace', async () => createTestLlmEngine(), { longQuestion });

describe('createTestLlmEngine', () => {
  const ask = async (last: string, before: ChatMessage[] = [], options: Partial<LlmOptions> = {}) => {
    const messages: ChatMessage[] = [...before, { role: 'user', content: last }];
    const call = createTestLlmEngine().generate(messages, { stop: [], ...options }, new AbortController().signal);
    return (await Array.fromAsync(call)).join('');
  };

  test('tells how many messages it was given', async () => {
    expect(await ask('What did I ask?')).toBe('echo(1): What did I ask?');
    expect(
      await ask('And now?', [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: 'y' },
      ]),
    ).toBe('echo(3): And now?');
  });

  test('shows them when asked to', async () => {
    const before: ChatMessage[] = [{ role: 'system', content: 'Be kind.' }];
    expect(JSON.parse(await ask('[[messages]]', before))).toEqual([
      ...before,
      { role: 'user', content: '[[messages]]' },
    ]);
  });

  test('answers with as many words as it is told', async () => {
    expect(await ask('[[words 3]]')).toBe('word1 word2 word3');
  });

  test('obeys the directives of the last message only', async () => {
    await expect(ask('please [[fail]]')).rejects.toMatchObject({ code: 'LLM_ENGINE_FAILED', retryable: true });
    await expect(ask('[[reject]]')).rejects.toMatchObject({ code: 'LLM_ENGINE_REJECTED', retryable: false });
    expect(await ask('Hello', [{ role: 'user', content: '[[fail]]' }])).toBe('echo(2): Hello');
  });

  test('says which options it ignores', async () => {
    const messages: ChatMessage[] = [{ role: 'user', content: 'x' }];
    const call = createTestLlmEngine().generate(messages, { stop: [], seed: 1 }, new AbortController().signal);
    await call.next();
    await call.next();
    expect(await call.next()).toMatchObject({ done: true, value: { warnings: ['The test engine ignores seed.'] } });
  });
});
