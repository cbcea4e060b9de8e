import { createOpenAICompatibleAsrEngine } from '@aigolos/engines/asr';
import { describeAsrEngine, describeLlmEngine, describeTtsEngine } from '@aigolos/engines/conformance';
import { createOpenAICompatibleLlmEngine } from '@aigolos/engines/llm';
import { createOpenAICompatibleTtsEngine } from '@aigolos/engines/tts';
import { afterAll, beforeAll } from 'vitest';
import { type Stack, startStack } from './stack.ts';

/** The adapters for OpenAI-compatible servers keep all their promises against our own gateway. */
let stack: Stack;
beforeAll(async () => {
  // A job goes on when its client has gone; none is to wait for what an aborted call left behind.
  stack = await startStack({ engines: 'test', paceMs: 2, env: { CONCURRENCY: '8' } });
});
afterAll(() => stack?.stop());

const upstream = (model: string) => ({ baseUrl: `${stack.url}/v1`, apiKey: stack.apiKey, model, upstreamModel: model });

describeAsrEngine('AIGolos itself', () => createOpenAICompatibleAsrEngine(upstream('whisper-1')), { longSeconds: 600 });
describeLlmEngine('AIGolos itself', () => createOpenAICompatibleLlmEngine(upstream('gpt-4o')), {
  longQuestion: '[[words 800]]',
  unicodeQuestion: 'Привет 🎉',
});
describeTtsEngine(
  'AIGolos itself',
  () => {
    const voices = [{ id: 'alloy', name: 'Alloy', language: 'en' }];
    return createOpenAICompatibleTtsEngine({ ...upstream('tts-1'), voices });
  },
  { maxCharacters: 1_000 },
);
