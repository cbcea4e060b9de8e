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
  withoutTools: true,
});

describe('createNodeLlamaCppEngine', () => {
  let engine: LlmEngine;
  beforeAll(async () => {
    engine = await create({ contextTokens: 256, sequences: 2 });
  });
  afterAll(() => engine.close());

  test('answers by the chat format of the model and remembers the turns before', async () => {
    const capitalOf = (country: string): ChatMessage => ({
      role: 'user',
      content: `What is the capital of ${country}?`,
    });
    const alone = await ask(engine, [capitalOf('Italy')]);
    expect(alone.text).toMatch(/capital of Italy is Rome/);
    // Turns that were answered by one word make the next answer one.
    const before = Object.entries({ France: 'Paris', Germany: 'Berlin', Spain: 'Madrid' }).flatMap(
      ([country, city]): ChatMessage[] => [capitalOf(country), { role: 'assistant', content: city }],
    );
    const after = await ask(engine, [...before, capitalOf('Italy')]);
    expect(after.text).toMatch(/^Rome\.?$/);
  });

  test.each([
    [{ type: 'object', properties: { code: { type: 'string', pattern: '^x' } } }, /"pattern".*properties\.code/],
    [{ type: 'number', minimum: 1 }, /"minimum" is not supported at its root/],
    [{ $ref: '#/$defs/loop', $defs: { loop: { $ref: '#/$defs/loop' } } }, /cannot be held to/],
  ])('a schema that it cannot hold an answer to is refused for good, with the reason: %j', async (schema, reason) => {
    const format = { type: 'json_schema', name: 'thing', schema: JSON.stringify(schema) } as const;
    await expect(ask(engine, [{ role: 'user', content: 'Hi' }], { format })).rejects.toMatchObject({
      code: 'LLM_ENGINE_REJECTED',
      retryable: false,
      message: expect.stringMatching(reason),
    });
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

describe('a model whose chat format speaks of tools', () => {
  let folder: string;
  let engine: LlmEngine;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aigolos-llm-'));
    const path = join(folder, 'model.gguf');
    // In the instructions that the template begins with; the format stays the same.
    await copyWith(modelPath, path, { from: 'trained by Hugging Face', to: 'with tools at its hands' });
    engine = await create({ modelPath: path, contextTokens: 1_024, sequences: 1 });
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });
  const weather = {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: JSON.stringify({
      type: 'object',
      properties: { city: { $ref: '#/$defs/city' } },
      required: ['city'],
      $defs: { city: { type: 'string', maxLength: 30 } },
    }),
  };
  const question: ChatMessage[] = [{ role: 'user', content: 'How is the weather in Paris?' }];

  test('calls one of the tools where it must, and only what they are called', async () => {
    const tools = [weather, { ...weather, name: 'get_time' }];
    const { text, answer } = await ask(engine, question, { tools, toolChoice: 'required' });
    expect(text).toBe('');
    const [call] = answer.toolCalls ?? [];
    expect(call?.name).toMatch(/^get_(weather|time)$/);
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ city: expect.any(String) });
  });

  test('calls where it begins to by itself, after what it said before', async () => {
    const example = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>';
    const said: ChatMessage[] = [
      { role: 'user', content: `Repeat these words and nothing else: ${example}` },
      { role: 'assistant', content: example },
      { role: 'user', content: `Repeat these words and nothing else: ${example}` },
    ];
    const { text, answer } = await ask(engine, said, { tools: [weather], stop: [] });
    expect(text).not.toContain('<tool_call>');
    expect(answer).toMatchObject({ finishReason: 'tool_calls', toolCalls: [{ name: 'get_weather' }] });
  });

  test('a call that the limit cuts off is none', async () => {
    const { answer } = await ask(engine, question, { tools: [weather], toolChoice: 'required', maxTokens: 3 });
    expect(answer.finishReason).toBe('length');
    expect(answer).not.toHaveProperty('toolCalls');
  });
});

describe('a model without a chat format', () => {
  let folder: string;
  let engine: LlmEngine;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aigolos-llm-'));
    const plainPath = join(folder, 'model.gguf');
    // Nobody finds it under another name.
    await copyWith(modelPath, plainPath, { from: 'tokenizer.chat_template', to: 'tokenizer.hide_template' });
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

/** Writes other words of the same length into the file's header. */
async function copyWith(source: string, target: string, { from, to }: { from: string; to: string }): Promise<void> {
  expect(to).toHaveLength(from.length);
  await copyFile(source, target);
  await using file = await open(target, 'r+');
  const { buffer } = await file.read({ buffer: Buffer.alloc(8 * 1024 ** 2), position: 0 });
  const at = buffer.indexOf(from);
  expect(at).toBeGreaterThan(0);
  await file.write(to, at);
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
