import { type ChatMessage, type ChatTask, LlmServiceError } from '@aigolos/contracts';
import type { LlmEngine } from '@aigolos/engines/llm';
import type { JobContext } from '@aigolos/jobs';
import { testLog as log } from '@aigolos/testing';
import { expect, test } from 'vitest';
import { createAnswerProcessor } from './answer.processor.ts';

/** Takes at most `room` messages, answers with their number, and remembers them. */
function createSpyEngine(room = 100) {
  const asked: ChatMessage[][] = [];
  const engine: LlmEngine = {
    model: 'spy',
    tools: true,
    async *generate(messages) {
      asked.push(messages);
      if (messages.length > room) throw new LlmServiceError('too long', { code: 'LLM_CONTEXT_EXCEEDED' });
      yield `${messages.length} `;
      yield 'messages';
      return { finishReason: 'stop', promptTokens: 7, completionTokens: 2, warnings: [] };
    },
    close: async () => {},
  };
  return { engine, asked };
}

const said = (role: 'user' | 'assistant', content: string) => ({ role, content });
const history = Array.from({ length: 12 }, (_, index) => said(index % 2 ? 'assistant' : 'user', `before ${index}`));
const conversations = {
  lastMessages: (_id: string, limit: number) => Promise.resolve(history.slice(-limit) as never),
};

const jobs = { findOwned: () => Promise.resolve(undefined) };

function context(task: Partial<ChatTask>) {
  const deltas: string[] = [];
  const whole = { model: 'spy', messages: [said('user', 'now')], stop: [], ...task };
  const value = {
    job: { task: whole },
    signal: new AbortController().signal,
    log,
    emitDelta: (text: string) => deltas.push(text),
  };
  return { deltas, context: value as unknown as JobContext<'chat'> };
}

test('what was said before stands between the instructions and the new message', async () => {
  const { engine, asked } = createSpyEngine();
  const instructions = { role: 'system' as const, content: 'be brief' };
  const { context: job } = context({ conversation: 'conv_1', messages: [instructions, said('user', 'now')] });
  await createAnswerProcessor({ engine, conversations, jobs, contextMessages: 10 })(job);
  expect(asked).toEqual([[instructions, ...history.slice(-10), said('user', 'now')]]);
});

test('without a conversation only the request is asked', async () => {
  const { engine, asked } = createSpyEngine();
  const { context: job, deltas } = context({});
  const { result, usage } = await createAnswerProcessor({ engine, conversations, jobs, contextMessages: 10 })(job);
  expect(asked).toEqual([[said('user', 'now')]]);
  expect(result).toEqual({ text: '1 messages', finishReason: 'stop' });
  expect(deltas).toEqual(['1 ', 'messages']);
  expect(usage).toMatchObject({ promptTokens: 7, completionTokens: 2 });
});

test('the oldest messages are left out, with a warning, until the rest fits into the model', async () => {
  const { engine, asked } = createSpyEngine(4);
  const { context: job } = context({ conversation: 'conv_1' });
  const { warnings } = await createAnswerProcessor({ engine, conversations, jobs, contextMessages: 10 })(job);
  expect(asked.at(-1)).toEqual([...history.slice(-3), said('user', 'now')]);
  expect(warnings).toEqual(['The 7 oldest messages of the context did not fit into the model and were left out.']);
});

test('a new message that does not fit by itself is refused', async () => {
  const { engine } = createSpyEngine(0);
  const { context: job } = context({ conversation: 'conv_1' });
  await expect(createAnswerProcessor({ engine, conversations, jobs, contextMessages: 10 })(job)).rejects.toMatchObject({
    code: 'LLM_CONTEXT_EXCEEDED',
  });
});

test('what a tool gave back is asked about only together with its call, and calls of one answer are one message', async () => {
  const { engine, asked } = createSpyEngine(5);
  const call = (id: string) => ({
    role: 'assistant' as const,
    content: '',
    toolCalls: [{ id, name: 'f', arguments: '{}' }],
  });
  const outcome = (toolCallId: string) => ({ role: 'tool' as const, content: 'done', toolCallId });
  const before: ChatMessage[] = [
    call('a'),
    outcome('a'),
    said('user', 'again'),
    call('b'),
    call('c'),
    outcome('b'),
    outcome('c'),
  ];
  const { context: job } = context({ conversation: 'conv_1' });
  const reader = { lastMessages: () => Promise.resolve(before as never) };
  await createAnswerProcessor({ engine, conversations: reader, jobs, contextMessages: 10 })(job);
  const both = { ...call('b'), toolCalls: [...call('b').toolCalls, ...call('c').toolCalls] };
  expect(asked.at(-1)).toEqual([said('user', 'again'), both, outcome('b'), outcome('c'), said('user', 'now')]);
});
