import { ChatOpenAI } from '@langchain/openai';
import { describe, expect, test } from 'vitest';
import type { Stack } from '../../test/stack.ts';

/** LangChain's OpenAI package. */
export function describeLangChain(house: () => Stack): void {
  const chatModel = (model = 'gpt-4o') =>
    new ChatOpenAI({
      model,
      apiKey: house().apiKey,
      configuration: { baseURL: `${house().url}/v1` },
      maxRetries: 0,
      maxTokens: 20,
    });

  describe('LangChain', () => {
    test('asks, and counts tokens', async () => {
      const answer = await chatModel().invoke([
        ['system', 'Be brief.'],
        ['human', 'hi'],
      ]);
      expect(answer).toMatchObject({ content: 'echo(2): hi', usage_metadata: { output_tokens: 2 } });
    });

    test('streams', async () => {
      const pieces = await Array.fromAsync(await chatModel().stream('[[words 30]]'));
      const words = Array.from({ length: 20 }, (_, index) => `word${index + 1} `);
      expect(pieces.map(({ text }) => text).join('')).toBe(words.join(''));
      expect(pieces.length).toBeGreaterThan(2);
    });

    test('knows a model that is not there by its own error code', async () => {
      await expect(chatModel('gpt-99').invoke('hi')).rejects.toMatchObject({
        lc_error_code: 'MODEL_NOT_FOUND',
        message: expect.stringContaining('test-llm'),
      });
    });
  });
}
