import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import { expect } from 'vitest';
import type { Answer, Case, RouteCases } from '../case.ts';
import { jsonOf, reachesEngine } from './shows.ts';

const ignored = (parameter: string, value: unknown, note?: string): Case => ({
  parameter,
  support: 'ignored',
  send: { [parameter]: value },
  ...(note !== undefined && { note }),
});
const says = (text: string) => (answer: Answer) =>
  expect(jsonOf(answer)).toMatchObject({ status: 'completed', output: [{ type: 'message', content: [{ text }] }] });
const calls = (name: string) => (answer: Answer) =>
  expect(jsonOf(answer)).toMatchObject({ output: [{ type: 'function_call', name }] });

const now = { type: 'function', name: 'now', parameters: { type: 'object', properties: {} }, strict: true };
const schema = { type: 'object', properties: { city: { enum: ['Riga'] } }, required: ['city'] };

export const responses: RouteCases = {
  route: 'POST /responses',
  smallest: { model: 'gpt-4o', input: 'hi' },
  call: async (client, { previous_response_id: previous, ...request }, options) => {
    const before = previous === undefined ? undefined : await client.responses.create({ model: 'gpt-4o', input: 'a' });
    const body = { ...request, ...(before && { previous_response_id: before.id }) };
    return client.responses.create(body as ResponseCreateParamsNonStreaming, options).asResponse();
  },
  cases: [
    {
      parameter: 'model',
      support: 'supported',
      note: 'names of OpenAI stand for the default model; the answer names what ran',
      send: { model: 'gpt-4o-mini' },
      shows: (answer) => expect(jsonOf(answer)).toMatchObject({ model: 'test-llm' }),
    },
    { parameter: 'input', value: 'text', support: 'supported', shows: says('echo(1): hi') },
    {
      parameter: 'input',
      value: 'messages, function calls and their outputs',
      support: 'supported',
      send: {
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'When?' }] },
          { type: 'function_call', call_id: 'call_1', name: 'now', arguments: '{}' },
          { type: 'function_call_output', call_id: 'call_1', output: '12:00' },
        ],
      },
      shows: says('echo(3): 12:00'),
    },
    {
      parameter: 'input',
      value: 'images, audio, files, references',
      support: 'refused',
      send: { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:,', detail: 'low' }] }] },
    },
    {
      parameter: 'instructions',
      support: 'supported',
      send: { instructions: 'Be brief.' },
      shows: says('echo(2): hi'),
    },
    {
      parameter: 'previous_response_id',
      support: 'supported',
      note: 'of one that ended with an answer',
      send: { previous_response_id: 'the one before' },
      shows: says('echo(3): hi'),
    },
    {
      parameter: 'conversation',
      support: 'supported',
      note: '`new` begins one',
      send: { conversation: 'new' },
      shows: (answer) => expect(jsonOf(answer)).toMatchObject({ conversation: { id: expect.any(String) } }),
    },
    {
      parameter: 'background',
      support: 'supported',
      note: 'not with store false',
      send: { background: true },
      shows: (answer) => expect(jsonOf(answer)).toMatchObject({ background: true, status: 'queued' }),
    },
    {
      parameter: 'store',
      support: 'supported',
      note: 'true where absent; false leaves it out of these routes, not out of GET /v1/jobs',
      send: { store: false },
      shows: (answer) => expect(jsonOf(answer)).toMatchObject({ store: false }),
    },
    {
      parameter: 'stream',
      support: 'supported',
      send: { stream: true },
      shows: ({ events }) => {
        expect(events?.at(0)).toMatchObject({ type: 'response.created', sequence_number: 0 });
        expect(events?.at(-1)).toMatchObject({ type: 'response.completed' });
      },
    },
    {
      parameter: 'stream_options',
      value: 'include_obfuscation false',
      support: 'supported',
      send: { stream: true, stream_options: { include_obfuscation: false } },
      shows: ({ events }) => expect(JSON.stringify(events)).not.toContain('obfuscation'),
    },
    {
      parameter: 'stream_options',
      value: 'include_obfuscation true',
      support: 'ignored',
      note: 'events are never padded',
      send: { stream: true, stream_options: { include_obfuscation: true } },
    },
    {
      parameter: 'text',
      value: 'format json_object',
      support: 'supported',
      send: { text: { format: { type: 'json_object' } } },
      shows: says('{"echo":"hi"}'),
    },
    {
      parameter: 'text',
      value: 'format json_schema',
      support: 'supported',
      note: 'always strictly',
      send: { text: { format: { type: 'json_schema', name: 'place', schema } } },
      shows: says('{"city":"Riga"}'),
    },
    { parameter: 'text', value: 'verbosity', support: 'ignored', send: { text: { verbosity: 'low' } } },
    {
      parameter: 'tools',
      value: 'functions',
      support: 'supported',
      note: 'where the chat template of the model has tools, else refused',
      send: { input: '[[call now]]', tools: [now] },
      shows: calls('now'),
    },
    {
      parameter: 'tools',
      value: 'functions, in a stream',
      support: 'supported',
      note: 'a call comes in one piece',
      send: { input: '[[call now]]', tools: [now], stream: true },
      shows: ({ events }) =>
        expect(events).toContainEqual(
          expect.objectContaining({ type: 'response.function_call_arguments.done', name: 'now', arguments: '{}' }),
        ),
    },
    { parameter: 'tools', value: 'others', support: 'refused', send: { tools: [{ type: 'web_search' }] } },
    {
      parameter: 'tool_choice',
      support: 'supported',
      send: { tools: [now], tool_choice: { type: 'function', name: 'now' } },
      shows: calls('now'),
    },
    {
      parameter: 'parallel_tool_calls',
      support: 'supported',
      note: 'node-llama-cpp makes one call an answer',
      send: { parallel_tool_calls: true },
    },
    {
      parameter: 'max_output_tokens',
      support: 'supported',
      send: { input: '[[words 20]]', max_output_tokens: 3 },
      shows: (answer) =>
        expect(jsonOf(answer)).toMatchObject({
          status: 'incomplete',
          incomplete_details: { reason: 'max_output_tokens' },
          usage: { output_tokens: 3 },
        }),
    },
    { parameter: 'temperature', support: 'supported', send: { temperature: 0.5 }, shows: reachesEngine('temperature') },
    { parameter: 'top_p', support: 'supported', send: { top_p: 0.5 }, shows: reachesEngine('topP') },
    {
      parameter: 'metadata',
      support: 'supported',
      send: { metadata: { order: '17' } },
      shows: (answer) => expect(jsonOf(answer)).toMatchObject({ metadata: { order: '17' } }),
    },
    { parameter: 'prompt', support: 'refused', send: { prompt: { id: 'pmpt_1' } } },
    ignored('truncation', 'disabled', 'the oldest messages are left out, with a warning, where not all fit'),
    ignored('include', ['message.output_text.logprobs']),
    ignored('top_logprobs', 3),
    ignored('max_tool_calls', 3),
    ignored('reasoning', { effort: 'low' }),
    ignored('moderation', { model: 'omni-moderation-latest' }),
    ignored('context_management', [{ type: 'compaction' }]),
    ignored('service_tier', 'flex', 'X-Priority weighs jobs'),
    ignored('user', 'ada'),
    ignored('safety_identifier', 'ada'),
    ignored('prompt_cache_key', 'a'),
    ignored('prompt_cache_retention', '24h'),
    ignored('prompt_cache_options', { mode: 'auto' }),
  ],
};
