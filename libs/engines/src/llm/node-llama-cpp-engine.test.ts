import { copyFile, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChatMessage } from '@aigolos/contracts';
import { createLogger } from '@aigolos/runtime';
import { MODELS_DIR } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeLlmEngine } from '../conformance/llm-engine.ts';
import type { LlmAnswer, LlmEngine, LlmOptions } from './llm-engine.ts';
import { createNodeLlamaCppEngine, type NodeLlamaCppOptions } from './node-llama-cpp-engine.ts';

const log = createLogger({ service: 'test', level: 'silent' });
const model = 'smollm2-135m-instruct';
const modelPath = join(MODELS_DIR, model, 'model.gguf');
const live = new AbortController().signal;
const create = (options: Partial<NodeLlamaCppOptions> = {}) =>
  createNodeLlamaCppEngine({ model, modelPath, contextTokens: 2_048, log, ...options });

describeLlmEngine('node-llama-cpp', () => create(), {
  unicodeQuestion: 'Repeat these emoji: 🎉🎉🎉🦜',
  longPrompt: 'many words '.repeat(900),
  seeded: true,
});

describe('createNodeLlamaCppEngine', () => {
  let engine: LlmEngine;
  beforeAll(async () => {
    engine = await create({ contextTokens: 256, sequences: 2 });
  });
  afterAll(() => engine.close());

  test('answers by the chat format of the model and remembers the turns before', async () => {
    const question: ChatMessage = { role: 'user', content: 'What is the capital of France?' };
    const first = await ask(engine, [question]);
    expect(first.text).toBe('The capital of France is Paris.');
    const second = await ask(engine, [
      question,
      { role: 'assistant', content: first.text },
      { role: 'user', content: 'What did I just ask?' },
    ]);
    expect(second.text).toMatch(/capital of France/);
  });

  test('a prompt that leaves no room for an answer is refused with both numbers', async () => {
    const messages: ChatMessage[] = [{ role: 'user', content: 'word '.repeat(250) }];
    await expect(ask(engine, messages)).rejects.toMatchObject({
      code: 'LLM_CONTEXT_EXCEEDED',
      retryable: false,
      message: expect.stringMatching(/have 2\d\d tokens.* reads 256 /),
    });
  });

  test('the end of the context ends an answer with "length"', async () => {
    const messages: ChatMessage[] = [{ role: 'user', content: 'Tell me a long story about a dog.' }];
    const { answer } = await ask(engine, messages, { maxTokens: 1_000 });
    expect(answer.finishReason).toBe('length');
    expect(answer.promptTokens + answer.completionTokens).toBe(256);
  });

  test("text that looks like the model's own marks is text", async () => {
    const { answer } = await ask(engine, [{ role: 'user', content: '<|im_end|>' }], { maxTokens: 1 });
    const { answer: plain } = await ask(engine, [{ role: 'user', content: 'x' }], { maxTokens: 1 });
    expect(answer.promptTokens).toBeGreaterThan(plain.promptTokens + 3);
  });

  test('a missing model is named, with the remedy', async () => {
    await expect(create({ modelPath: '/nowhere/model.gguf' })).rejects.toMatchObject({
      name: 'LlmServiceError',
      code: 'LLM_ENGINE_FAILED',
      retryable: false,
      message: expect.stringMatching(/\/nowhere\/model\.gguf .*aigolos models pull smollm2-135m-instruct/),
    });
  });

  test('a file that is no model is named too', async () => {
    await expect(create({ modelPath: import.meta.filename })).rejects.toMatchObject({
      code: 'LLM_ENGINE_FAILED',
      message: expect.stringContaining(import.meta.filename),
    });
  });
});

describe('a model without a chat format', () => {
  let folder: string;
  let engine: LlmEngine;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aigolos-llm-'));
    const plainPath = join(folder, 'model.gguf');
    await copyWithoutChatTemplate(modelPath, plainPath);
    engine = await create({ modelPath: plainPath, contextTokens: 512, sequences: 1 });
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  test('is prompted by "User:" and "Assistant:" alone', async () => {
    const { text, answer } = await ask(engine, [{ role: 'user', content: 'What is the capital of France?' }]);
    expect(text).toMatch(/^The capital of France is Paris\./);
    // "User: What is the capital of France?\nAssistant:"; a chat format takes some tokens more.
    expect(answer.promptTokens).toBe(13);
  });

  test('stops before it plays the user', async () => {
    const turns = Object.entries({ France: 'Paris', Italy: 'Rome', Germany: 'Berlin' }).flatMap(
      ([country, city]): ChatMessage[] => [
        { role: 'user', content: `What is the capital of ${country}?` },
        { role: 'assistant', content: `${city}.` },
      ],
    );
    const { text, answer } = await ask(engine, [...turns, { role: 'user', content: 'What is the capital of Spain?' }]);
    expect(text).toBe('Madrid.');
    expect(answer.finishReason).toBe('stop');
  });
});

/** Renames the key `tokenizer.chat_template` in the file's header, so that nobody finds it. */
async function copyWithoutChatTemplate(from: string, to: string): Promise<void> {
  const key = 'tokenizer.chat_template';
  await copyFile(from, to);
  await using file = await open(to, 'r+');
  const { buffer } = await file.read({ buffer: Buffer.alloc(8 * 1024 ** 2), position: 0 });
  const at = buffer.indexOf(key);
  expect(at).toBeGreaterThan(0);
  await file.write(key.replace('chat', 'hide'), at);
}

async function ask(
  engine: LlmEngine,
  messages: ChatMessage[],
  options: Partial<LlmOptions> = {},
): Promise<{ text: string; answer: LlmAnswer }> {
  const call = engine.generate(messages, { stop: [], maxTokens: 64, ...options }, live);
  let text = '';
  for (;;) {
    const next = await call.next();
    if (next.done) return { text, answer: next.value };
    text += next.value;
  }
}
