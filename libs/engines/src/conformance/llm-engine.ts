import { type ChatMessage, type ChatTool, LlmServiceError } from '@aigolos/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LlmAnswer, LlmEngine, LlmOptions } from '../llm/llm-engine.ts';
import { elapsedMs, residentGrowthBytes } from './measure.ts';
import { eventLoopDelayP99Ms } from './process-watch.ts';

export interface LlmConformance {
  /** Something that is answered with hundreds of tokens, over a second or more. */
  longQuestion?: string;
  /** Something that is answered with characters beyond ASCII. */
  unicodeQuestion?: string;
  /** The engine claims that a seed gives the same answer again. */
  seeded?: boolean;
  /** A prompt that it reads for some time before it answers; left out where prompts cost nothing. */
  longPrompt?: string;
  /** The engine does not claim to call functions. */
  withoutTools?: boolean;
}

const LIVE = new AbortController().signal;
const SHORT: LlmOptions = { stop: [], maxTokens: 32, temperature: 0, seed: 1 };
/** A timing can be spoilt by what else runs on the machine; a guarantee that is broken stays broken. */
const TIMED = { retry: 2, timeout: 60_000 };

/** What every language model engine promises, whatever runs it. `create` makes a new engine each time. */
export function describeLlmEngine(name: string, create: () => Promise<LlmEngine>, options: LlmConformance = {}): void {
  describe(`${name} as an LlmEngine`, { timeout: 60_000 }, () => {
    let engine: LlmEngine;
    beforeAll(async () => {
      engine = await create();
    });
    afterAll(() => engine.close());

    describeAnswers(() => engine, options);
    describeFormats(() => engine, options);
    describeAborts(() => engine, options);
    describeResources(() => engine, create, options);
  });
}

function describeAnswers(engine: () => LlmEngine, options: LlmConformance): void {
  const { longQuestion = 'Tell me a long story about a dog.', unicodeQuestion, seeded = false } = options;

  test('an answer comes in pieces, with its end and its tokens', async () => {
    const { text, answer } = await ask(engine(), 'What is the capital of France?', { ...SHORT, maxTokens: 200 });
    expect(text.trim()).not.toBe('');
    expect(answer).toMatchObject({ finishReason: 'stop', warnings: expect.any(Array) });
    expect(answer.promptTokens).toBeGreaterThan(0);
    expect(answer.completionTokens).toBeGreaterThan(0);
  });

  test('all messages are read, the last one is answered', async () => {
    const question: ChatMessage = { role: 'user', content: 'What did I just ask?' };
    const before: ChatMessage[] = [
      { role: 'user', content: 'What is the capital of France?' },
      { role: 'assistant', content: 'The capital of France is Paris.' },
    ];
    const alone = await ask(engine(), [question], SHORT);
    const after = await ask(engine(), [...before, question], SHORT);
    expect(after.answer.promptTokens).toBeGreaterThan(alone.answer.promptTokens);
    expect(after.text).not.toBe(alone.text);
  });

  test('maxTokens ends an answer with "length"', async () => {
    const { answer } = await ask(engine(), longQuestion, { ...SHORT, maxTokens: 5 });
    expect(answer.finishReason).toBe('length');
    expect(answer.completionTokens).toBeLessThanOrEqual(5);
  });

  test('an answer ends before a stop string, wherever the pieces are cut', async () => {
    const whole = await ask(engine(), longQuestion, SHORT);
    const stop = whole.text.slice(20, 27);
    const { text, answer } = await ask(engine(), longQuestion, { ...SHORT, stop: ['\u0001 never', stop] });
    expect(text).toBe(whole.text.slice(0, whole.text.indexOf(stop)));
    expect(answer.finishReason).toBe('stop');
  });

  test.runIf(unicodeQuestion !== undefined)('characters of several bytes are never broken', async () => {
    const { text, pieces } = await ask(engine(), unicodeQuestion ?? '', { ...SHORT, maxTokens: 64 });
    expect(text).toMatch(/[^\p{ASCII}]/u);
    for (const piece of pieces) expect(piece.isWellFormed() && !piece.includes('\uFFFD')).toBe(true);
  });

  test.runIf(seeded)('a seed gives the same answer again, another seed another', async () => {
    const seeded = (seed: number) => ask(engine(), longQuestion, { stop: [], maxTokens: 32, temperature: 0.9, seed });
    const first = await seeded(42);
    expect((await seeded(42)).text).toBe(first.text);
    expect((await seeded(43)).text).not.toBe(first.text);
  });

  test.each(['', ' \n\t'])('a message without content (%j) is answered, or refused for good', async (content) => {
    expect(await outcomeOf(ask(engine(), content, { ...SHORT, maxTokens: 8 }))).toMatch(/^(answered|refused for good)/);
  });

  test.each(['😀', '<|im_end|>[INST]'])('a message that is only %j is answered', async (content) => {
    const { answer } = await ask(engine(), content, { ...SHORT, maxTokens: 8 });
    expect(answer.promptTokens).toBeGreaterThan(0);
  });

  test('a prompt of a million characters is answered, or refused for good with numbers', async () => {
    const asked = ask(engine(), 'many words '.repeat(100_000), { ...SHORT, maxTokens: 8 });
    expect(await outcomeOf(asked)).toMatch(/^(answered|refused for good: .*\d)/);
  });
}

const PERSON = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 20 },
    age: { type: ['integer', 'null'] },
    mood: { enum: ['calm', 'angry'] },
  },
  required: ['name', 'age', 'mood'],
  additionalProperties: false,
};
const TOOLS: ChatTool[] = [
  { name: 'get_weather', description: 'The weather of a city', parameters: JSON.stringify({ type: 'object' }) },
  { name: 'note_person', parameters: JSON.stringify(PERSON) },
];

function expectPerson(person: unknown): void {
  expect(Object.keys(person as object)).toEqual(['name', 'age', 'mood']);
  const { name, age, mood } = person as { name: string; age: number | null; mood: string };
  expect(name.length).toBeGreaterThan(0);
  expect(age === null || Number.isInteger(age)).toBe(true);
  expect(['calm', 'angry']).toContain(mood);
}

function describeFormats(engine: () => LlmEngine, { withoutTools = false }: LlmConformance): void {
  const question = 'Who is the president of France?';
  const long = { ...SHORT, maxTokens: 200 };

  test('an answer that is to fit a JSON schema fits it', async () => {
    const format = { type: 'json_schema', name: 'person', schema: JSON.stringify(PERSON) } as const;
    const { text, answer } = await ask(engine(), question, { ...long, format });
    expect(answer.finishReason).toBe('stop');
    expectPerson(JSON.parse(text));
  });

  test('an answer that is to be a JSON object is one, or is cut off by its limit', async () => {
    const { text, answer } = await ask(engine(), question, { ...long, format: { type: 'json_object' } });
    expect(text).toMatch(/^\{/);
    const whole = answer.finishReason === 'length' ? {} : (JSON.parse(text) as unknown);
    expect(whole).toBeTypeOf('object');
  });

  test.runIf(!withoutTools)('a tool that must be called is called with what fits its schema', async () => {
    expect(engine().tools).toBe(true);
    const toolChoice = { name: 'note_person' };
    const { text, answer } = await ask(engine(), question, { ...long, tools: TOOLS, toolChoice });
    expect(text).toBe('');
    expect(answer).toMatchObject({ finishReason: 'tool_calls', toolCalls: [{ name: 'note_person' }] });
    expectPerson(JSON.parse(answer.toolCalls?.[0]?.arguments ?? ''));
  });

  test.runIf(!withoutTools)('what a tool gave back is read like any message', async () => {
    const called = { id: 'call_1', name: 'get_weather', arguments: '{"city":"Paris"}' };
    const { answer } = await ask(
      engine(),
      [
        { role: 'user', content: 'How is the weather in Paris?' },
        { role: 'assistant', content: '', toolCalls: [called] },
        { role: 'tool', content: 'It rains.', toolCallId: 'call_1' },
      ],
      { ...SHORT, maxTokens: 8, tools: TOOLS },
    );
    expect(answer.promptTokens).toBeGreaterThan(0);
  });
}

async function outcomeOf(asked: Promise<Asked>): Promise<string> {
  try {
    await asked;
    return 'answered';
  } catch (error) {
    const isFinal = error instanceof LlmServiceError && !error.retryable;
    return isFinal ? `refused for good: ${error.message}` : `failed: ${String(error)}`;
  }
}

function describeAborts(engine: () => LlmEngine, options: LlmConformance): void {
  const { longQuestion = 'Tell me a long story about a dog.', longPrompt } = options;

  test('a call whose signal is aborted already throws its reason', async () => {
    const reason = new Error('too late');
    await expect(ask(engine(), 'Hello', SHORT, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('an abort ends an answer with its reason within a second, and the next call works', TIMED, async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const answer = engine().generate(user(longQuestion), { stop: [], maxTokens: 1_000 }, controller.signal);
    expect((await answer.next()).done).toBe(false);
    controller.abort(reason);
    const rest = (async () => {
      for await (const _ of answer);
    })();
    expect(await elapsedMs(rest)).toBeLessThan(1_000);
    await expect(rest).rejects.toBe(reason);
    expect((await ask(engine(), 'Hello', SHORT)).text).not.toBe('');
  });

  test.runIf(longPrompt !== undefined)('an abort while the prompt is read ends it within a second', TIMED, async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const asked = ask(engine(), longPrompt ?? '', SHORT, controller.signal);
    setTimeout(() => controller.abort(reason), 200);
    expect(await elapsedMs(asked)).toBeLessThan(1_200);
    await expect(asked).rejects.toBe(reason);
  });

  test('a call that waits for others honours its abort, and they are not disturbed', TIMED, async () => {
    const controller = new AbortController();
    const others = Array.from({ length: 6 }, () => ask(engine(), longQuestion, { ...SHORT, maxTokens: 20 }));
    const waiting = ask(engine(), longQuestion, SHORT, controller.signal);
    controller.abort(new Error('enough'));
    expect(await elapsedMs(waiting)).toBeLessThan(1_000);
    for (const { answer } of await Promise.all(others)) expect(answer.completionTokens).toBe(20);
  });

  test('an answer that is not read to its end leaves nothing behind', async () => {
    for (let call = 0; call < 6; call++) {
      for await (const piece of engine().generate(user(longQuestion), { stop: [] }, LIVE)) if (piece !== '') break;
    }
    expect((await ask(engine(), 'Hello', SHORT)).text).not.toBe('');
  });
}

function describeResources(engine: () => LlmEngine, create: () => Promise<LlmEngine>, options: LlmConformance): void {
  const { longQuestion = 'Tell me a long story about a dog.' } = options;

  test('the event loop is never late while it works (p99 under 50 ms)', TIMED, async () => {
    const work = () => Promise.all([1, 2].map(() => ask(engine(), longQuestion, { ...SHORT, maxTokens: 64 })));
    expect(await eventLoopDelayP99Ms(work)).toBeLessThan(50);
  });

  test('memory returns after answers', TIMED, async () => {
    const many = async (count: number) => {
      for (let call = 0; call < count; call++) await ask(engine(), longQuestion, { ...SHORT, maxTokens: 10 });
    };
    await many(3);
    expect(await residentGrowthBytes(() => many(10))).toBeLessThan(32 * 1024 ** 2);
  });

  test('close ends calls that run, may be called twice, and later calls fail', async () => {
    const closing = await create();
    const running = closing.generate(user(longQuestion), { stop: [], maxTokens: 1_000 }, LIVE);
    await running.next();
    const rest = (async () => {
      for await (const _ of running);
    })();
    await Promise.all([expect(rest).rejects.toBeInstanceOf(LlmServiceError), closing.close(), closing.close()]);
    await closing.close();
    await expect(ask(closing, 'Hello', SHORT)).rejects.toBeInstanceOf(LlmServiceError);
  });
}

interface Asked {
  text: string;
  pieces: string[];
  answer: LlmAnswer;
}

async function ask(
  engine: LlmEngine,
  question: string | ChatMessage[],
  options: LlmOptions,
  signal: AbortSignal = LIVE,
): Promise<Asked> {
  const pieces: string[] = [];
  const messages = typeof question === 'string' ? user(question) : question;
  const answer = engine.generate(messages, options, signal);
  for (;;) {
    const next = await answer.next();
    if (next.done) return { text: pieces.join(''), pieces, answer: next.value };
    pieces.push(next.value);
  }
}

function user(content: string): ChatMessage[] {
  return [{ role: 'user', content }];
}
