import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { expect } from 'vitest';
import type { Answer, Case, RouteCases } from '../case.ts';
import { jsonOf, reachesEngine } from './shows.ts';

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });
const words = (count: number) => user(`[[words ${count}]]`);

/** What the assistant said, whole or in pieces. */
function said({ json, events = [] }: Answer): string {
  type Said = { choices: { message?: { content: string }; delta?: { content?: string } }[] };
  const parts = (json === undefined ? events : [json]) as Said[];
  return parts
    .flatMap(({ choices }) => choices)
    .map(({ message, delta }) => message?.content ?? delta?.content ?? '')
    .join('');
}

const says = (text: string) => (answer: Answer) => expect(said(answer)).toBe(text);
const ignored = (parameter: string, value: unknown, note?: string): Case => ({
  parameter,
  support: 'ignored',
  send: { [parameter]: value },
  ...(note !== undefined && { note }),
});
const stopsAtThree = (answer: Answer) =>
  expect(jsonOf(answer)).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 3 } });
const tool = { type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } };
const held = (schema: object) => ({
  response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
});
const called = expect.objectContaining({ index: 0, function: { name: 'now', arguments: '{}' } }) as unknown;
const calls = (answer: Answer) =>
  expect(jsonOf(answer)).toMatchObject({
    choices: [{ finish_reason: 'tool_calls', message: { tool_calls: [{ function: { name: 'now' } }] } }],
  });

export const chat: RouteCases = {
  route: 'POST /chat/completions',
  smallest: { model: 'gpt-4o', ...user('hi') },
  call: (client, request, options) =>
    client.chat.completions.create(request as unknown as ChatCompletionCreateParamsNonStreaming, options).asResponse(),
  cases: [
    {
      parameter: 'model',
      support: 'supported',
      note: 'names of OpenAI stand for the default model; the answer names what ran',
      send: { model: 'gpt-4o-mini' },
      shows: (answer) => expect(jsonOf(answer)).toMatchObject({ model: 'test-llm' }),
    },
    {
      parameter: 'messages',
      value: 'text',
      support: 'supported',
      note: '1 to 256 messages of 1 to 5,000 characters, from system, developer, user and assistant',
      send: {
        messages: [
          { role: 'developer', content: 'Be brief.' },
          { role: 'user', content: [{ type: 'text', text: 'hi' }] },
        ],
      },
      shows: says('echo(2): hi'),
    },
    {
      parameter: 'messages',
      value: 'images, audio, files',
      support: 'refused',
      send: user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }]),
    },
    {
      parameter: 'messages',
      value: 'tool calls and their outcomes',
      support: 'supported',
      send: {
        messages: [
          { role: 'user', content: 'When?' },
          {
            role: 'assistant',
            tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'now', arguments: '{}' } }],
          },
          { role: 'tool', tool_call_id: 'call_1', content: '12:00' },
        ],
      },
      shows: says('echo(3): 12:00'),
    },
    {
      parameter: 'messages',
      value: 'name',
      support: 'ignored',
      send: { messages: [{ role: 'user', name: 'ada', content: 'hi' }] },
    },
    {
      parameter: 'stream',
      support: 'supported',
      send: { ...words(20), stream: true },
      shows: (answer) => {
        says(Array.from({ length: 20 }, (_, index) => `word${index + 1}`).join(' '))(answer);
        expect(answer.events?.length).toBeGreaterThan(2);
      },
    },
    {
      parameter: 'stream_options',
      value: 'include_usage',
      support: 'supported',
      send: { stream: true, stream_options: { include_usage: true } },
      shows: ({ events }) => {
        expect(events?.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
      },
    },
    {
      parameter: 'stream_options',
      value: 'include_obfuscation',
      support: 'ignored',
      note: 'chunks are never padded',
      send: { stream: true, stream_options: { include_obfuscation: true } },
    },
    ...['max_completion_tokens', 'max_tokens'].map(
      (parameter): Case => ({
        parameter,
        support: 'supported',
        send: { ...words(20), [parameter]: 3 },
        shows: stopsAtThree,
      }),
    ),
    { parameter: 'stop', support: 'supported', send: { ...words(9), stop: ['word3'] }, shows: says('word1 word2 ') },
    { parameter: 'temperature', support: 'supported', send: { temperature: 0.5 }, shows: reachesEngine('temperature') },
    { parameter: 'top_p', support: 'supported', send: { top_p: 0.5 }, shows: reachesEngine('topP') },
    { parameter: 'seed', support: 'supported', send: { seed: 7 }, shows: reachesEngine('seed') },
    { parameter: 'n', value: '1', support: 'supported', send: { n: 1 } },
    { parameter: 'n', value: 'more', support: 'refused', send: { n: 2 } },
    { parameter: 'response_format', value: 'text', support: 'supported', send: { response_format: { type: 'text' } } },
    {
      parameter: 'response_format',
      value: 'json_object',
      support: 'supported',
      send: { response_format: { type: 'json_object' } },
      shows: says('{"echo":"hi"}'),
    },
    {
      parameter: 'response_format',
      value: 'json_schema',
      support: 'supported',
      note: 'always strictly',
      send: held({ type: 'object', properties: { city: { enum: ['Riga'] } }, required: ['city'] }),
      shows: says('{"city":"Riga"}'),
    },
    {
      parameter: 'response_format',
      value: 'json_schema, keywords that the grammar lacks',
      support: 'refused',
      note: 'the error names the keyword',
      send: held({ type: 'string', pattern: '^a' }),
    },
    { parameter: 'modalities', value: 'text', support: 'supported', send: { modalities: ['text'] } },
    { parameter: 'modalities', value: 'audio', support: 'refused', send: { modalities: ['text', 'audio'] } },
    { parameter: 'audio', support: 'refused', send: { audio: { voice: 'alloy', format: 'mp3' } } },
    {
      parameter: 'metadata',
      support: 'supported',
      note: "kept with the job, whose id is the completion's",
      send: { metadata: { order: '17' } },
    },
    {
      parameter: 'store',
      support: 'supported',
      note: 'false where absent; the stored completions below',
      send: { store: true },
    },
    {
      parameter: 'tools',
      value: 'functions',
      support: 'supported',
      note: 'where the chat template of the model has tools, else refused',
      send: { ...user('[[call now]]'), tools: [tool] },
      shows: calls,
    },
    {
      parameter: 'tools',
      value: 'functions, in a stream',
      support: 'supported',
      note: 'a call comes in one piece',
      send: { ...user('[[call now]]'), tools: [tool], stream: true },
      shows: ({ events }) =>
        expect(events).toContainEqual(
          expect.objectContaining({
            choices: [expect.objectContaining({ delta: expect.objectContaining({ tool_calls: [called] }) })],
          }),
        ),
    },
    {
      parameter: 'tools',
      value: 'others',
      support: 'refused',
      send: { tools: [{ type: 'custom', custom: { name: 'a' } }] },
    },
    { parameter: 'tool_choice', support: 'supported', send: { tools: [tool], tool_choice: 'required' }, shows: calls },
    {
      parameter: 'tool_choice',
      value: 'allowed_tools, custom',
      support: 'refused',
      send: { tools: [tool], tool_choice: { type: 'custom', custom: { name: 'a' } } },
    },
    {
      parameter: 'parallel_tool_calls',
      support: 'supported',
      note: 'node-llama-cpp makes one call an answer',
      send: { ...user('[[call now]]'), tools: [tool], parallel_tool_calls: true },
      shows: calls,
    },
    { parameter: 'function_call', support: 'refused', note: 'send tool_choice', send: { function_call: 'auto' } },
    { parameter: 'functions', support: 'refused', note: 'send tools', send: { functions: [tool.function] } },
    { parameter: 'logprobs', support: 'refused', send: { logprobs: true } },
    ignored('top_logprobs', 3),
    ignored('frequency_penalty', 0.5),
    ignored('presence_penalty', 0.5),
    ignored('logit_bias', { 50256: -100 }),
    ignored('reasoning_effort', 'low'),
    ignored('verbosity', 'low'),
    ignored('prediction', { type: 'content', content: 'hi' }),
    ignored('moderation', { model: 'omni-moderation-latest' }),
    ignored('web_search_options', { search_context_size: 'low' }),
    ignored('service_tier', 'flex', 'X-Priority weighs jobs'),
    ignored('user', 'ada'),
    ignored('safety_identifier', 'ada'),
    ignored('prompt_cache_key', 'a'),
    ignored('prompt_cache_retention', '24h'),
    ignored('prompt_cache_options', { mode: 'auto' }),
  ],
};
