import type { Processed } from '../src/index.ts';

/** What a chat processor returns. */
export const answer = (text: string): Processed<'chat'> => ({
  result: { text, finishReason: 'stop' },
  usage: { promptTokens: 1, completionTokens: 1 },
  warnings: [],
});
