import type { ResponseEvent } from '@aigolos/contracts';
import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { said } from '../../../test/answers.ts';
import { eventsIn, receivedIn, textIn } from '../../../test/events.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let client: OpenAI;
/** What holds back the job whose input says so. */
let gate = Promise.withResolvers<void>();
const reached = { text: '' };

const LOOK = { type: 'function' as const, name: 'look', parameters: { type: 'object' }, strict: true };
const TEXT = 'one two three four and a-word-of-more-than-sixteen-characters 😀';

beforeAll(async () => {
  house = await openHouse(redis, mongo);
  client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
  await house.work('response', async ({ job: { task }, emitDelta, signal }) => {
    const last = task.messages.at(-1)?.content ?? '';
    if (last === 'call') {
      const toolCalls = [{ id: 'call_1', name: 'look', arguments: '{"at":"me"}' }];
      return said('', { result: { text: '', finishReason: 'tool_calls', toolCalls } });
    }
    if (last === 'wait') {
      emitDelta(TEXT.slice(0, 30));
      reached.text = last;
      signal.addEventListener('abort', () => gate.reject(signal.reason as Error), { once: true });
      await gate.promise;
      emitDelta(TEXT.slice(30));
      return said(TEXT);
    }
    if (last === 'long') return said('so', { result: { text: 'so', finishReason: 'length' }, status: 'incomplete' });
    emitDelta(TEXT);
    return said(TEXT);
  });
});
afterAll(() => house.close());

async function* streamOf(response: Response): AsyncGenerator<ResponseEvent> {
  for await (const { name, data } of receivedIn(response)) {
    const event = JSON.parse(data) as ResponseEvent;
    expect(event.type).toBe(name);
    yield event;
  }
}
const eventsOf = (response: Response) => Array.fromAsync(streamOf(response));
const open = (id: string, after?: number) =>
  house.call(`/v1/responses/${id}?stream=true${after === undefined ? '' : `&starting_after=${after}`}`);
const resume = async (id: string, after?: number) => eventsOf(await open(id, after));
/** What is told of a response that is held back, up to the last word before that. */
const beforeTheGate = async (id: string) => {
  const events: ResponseEvent[] = [];
  for await (const event of streamOf(await open(id))) {
    events.push(event);
    if (textOf(events) === 'one two three four and') break;
  }
  return events;
};
const textOf = (events: ResponseEvent[]) =>
  events.map(({ type, delta }) => (type === 'response.output_text.delta' ? String(delta) : '')).join('');

describe('a response', () => {
  test('is made, read, listed by its input, and erased, by the official client', async () => {
    const made = await client.responses.create({ model: 'gpt-4o', input: 'count', instructions: 'be brief' });
    expect(made).toMatchObject({
      object: 'response',
      status: 'completed',
      model: 'test-llm',
      instructions: 'be brief',
      output_text: TEXT,
      error: null,
      usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
    });
    expect(await client.responses.retrieve(made.id)).toMatchObject({ id: made.id, output: made.output });
    const items = await Array.fromAsync(client.responses.inputItems.list(made.id));
    expect(items).toMatchObject([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'count' }] }]);
    await client.responses.delete(made.id);
    await expect(client.responses.retrieve(made.id)).rejects.toThrow(NotFoundError);
  });

  test('goes on from another by its id', async () => {
    const first = await client.responses.create({ model: 'gpt-4o', input: 'count' });
    const second = await client.responses.create({ model: 'gpt-4o', input: 'on', previous_response_id: first.id });
    expect(second.previous_response_id).toBe(first.id);
    const unknown = client.responses.create({ model: 'gpt-4o', input: 'on', previous_response_id: 'rsp_0' });
    await expect(unknown).rejects.toMatchObject({ status: 404, param: 'previous_response_id' });
  });

  test('tells what the model calls, and takes what came of it', async () => {
    const made = await client.responses.create({ model: 'gpt-4o', input: 'call', tools: [LOOK] });
    expect(made.output).toMatchObject([
      { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{"at":"me"}', status: 'completed' },
    ]);
    const outcome = { type: 'function_call_output' as const, call_id: 'call_1', output: 'seen' };
    const input = [...made.output, outcome] as OpenAI.Responses.ResponseInput;
    const after = await client.responses.create({ model: 'gpt-4o', input, tools: [LOOK] });
    expect(after.output_text).toBe(TEXT);
    const streamed = await eventsOf(
      await house.post('/v1/responses', { model: 'gpt-4o', input: 'call', tools: [LOOK], stream: true }),
    );
    expect(streamed.map(({ type }) => type.replace('response.', ''))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ]);
  });

  test('that its limit cut off is incomplete', async () => {
    const made = await client.responses.create({ model: 'gpt-4o', input: 'long', max_output_tokens: 1 });
    expect(made).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  });

  test('that is not to be stored is not found again, and neither is somebody else’s', async () => {
    const made = await client.responses.create({ model: 'gpt-4o', input: 'count', store: false });
    await expect(client.responses.retrieve(made.id)).rejects.toThrow(NotFoundError);
    const stored = await client.responses.create({ model: 'gpt-4o', input: 'count' });
    expect((await house.call(`/v1/responses/${stored.id}`, { key: house.keys.stranger })).status).toBe(404);
  });

  test('in a conversation is a turn of it', async () => {
    const first = await client.responses.create({ model: 'gpt-4o', input: 'count', conversation: 'new' });
    const conversation = first.conversation?.id ?? '';
    const second = await client.responses.create({ model: 'gpt-4o', input: 'again', conversation });
    const messages = await house.db.conversations.lastMessages(conversation, 9);
    expect(messages.map(({ content }) => content)).toEqual(['count', TEXT, 'again', TEXT]);
    expect(messages.at(-1)?._id).toBe(second.output[0]?.id);
  });

  test.each([
    [{ input: '' }, 'message must have 1 to 5000 characters'],
    [{ input: [{ role: 'user', content: 'x'.repeat(6_000) }] }, 'this one has 6000'],
    [{ input: [{ type: 'item_reference', id: 'x' }] }, 'function_call_output'],
    [{ background: true, store: false }, 'background needs store'],
    [{ conversation: 'new', previous_response_id: 'rsp_1' }, 'exclude each other'],
    [{ tools: [{ type: 'web_search' }] }, 'AIGolos has no tools of its own'],
    [{ max_tokens: 4 }, 'max_tokens is a field of chat completions; send max_output_tokens'],
  ])('%j is refused', async (fields, message) => {
    const asked = client.responses.create({ model: 'gpt-4o', input: 'count', ...fields } as never);
    await expect(asked).rejects.toThrow(BadRequestError);
    await expect(asked).rejects.toThrow(message);
  });
});

describe('the events of a response', () => {
  test('are those of OpenAI, numbered, and make up its text for the official client', async () => {
    const stream = client.responses.stream({ model: 'gpt-4o', input: 'count' });
    const events: { type: string; sequence_number: number }[] = [];
    for await (const event of stream) events.push(event);
    expect((await stream.finalResponse()).output_text).toBe(TEXT);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    const types = events.map(({ type }) => type.replace('response.', ''));
    expect(types.slice(0, 5)).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
    ]);
    expect(types.slice(-4)).toEqual(['output_text.done', 'content_part.done', 'output_item.done', 'completed']);
  });

  test('go on after every one of them, while it is made and after its end, without loss or repetition', async () => {
    gate = Promise.withResolvers();
    const made = await client.responses.create({ model: 'gpt-4o', input: 'wait', background: true });
    expect(made.status).toBe('queued');
    await waitUntil('it speaks', async () => reached.text === 'wait');
    const seen = await beforeTheGate(made.id);
    const responses = await Promise.all([undefined, ...seen.keys()].map((after) => open(made.id, after)));
    expect(await client.responses.retrieve(made.id)).toMatchObject({ status: 'in_progress' });
    gate.resolve();
    const [events = [], ...resumed] = await Promise.all(responses.map(eventsOf));
    expect(events.slice(0, seen.length)).toEqual(seen);
    expect(textOf(events)).toBe(TEXT);
    for (const [after, rest] of resumed.entries()) expect(rest).toEqual(events.slice(after + 1));
    for (let after = 0; after < events.length; after += 1) {
      expect(await resume(made.id, after)).toEqual(events.slice(after + 1));
    }
  });

  test('of a response that is cancelled end with it', async () => {
    gate = Promise.withResolvers();
    reached.text = '';
    const made = await client.responses.create({ model: 'gpt-4o', input: 'wait', background: true });
    await waitUntil('it speaks', async () => reached.text === 'wait');
    const seen = await beforeTheGate(made.id);
    const responses = await Promise.all([undefined, ...seen.keys()].map((after) => open(made.id, after)));
    expect(await client.responses.cancel(made.id)).toMatchObject({ status: 'cancelled' });
    const [told = [], ...resumed] = await Promise.all(responses.map(eventsOf));
    expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, index) => index));
    const [last] = told.slice(-1);
    expect(last).toMatchObject({ type: 'response.failed', response: { status: 'cancelled' } });
    for (const [after, rest] of resumed.entries()) expect(rest).toEqual(told.slice(after + 1));
    // What it said is not kept: its end follows upon whatever a reader has.
    for (const after of told.keys()) {
      const rest = await resume(made.id, after);
      expect(rest.at(-1)).toEqual({ ...last, sequence_number: expect.any(Number) });
      const numbers = [after, ...rest.map(({ sequence_number }) => sequence_number)];
      expect(numbers).toEqual(numbers.map((_, index) => after + index));
    }
  });

  test('have ids after each of which the events of its job go on', async () => {
    const response = await house.post('/v1/responses', { model: 'gpt-4o', input: 'count', stream: true });
    const received = await Array.fromAsync(receivedIn(response));
    const at = (id: string) =>
      house.call(`/v1/jobs/${response.headers.get('x-job-id')}/events`, { headers: { 'last-event-id': id } });
    for (const [index, { id }] of received.slice(0, -1).entries()) {
      const read = textOf(received.slice(0, index + 1).map(({ data }) => JSON.parse(data) as ResponseEvent));
      const rest = await Array.fromAsync(eventsIn(await at(id)));
      expect([textIn(rest, read), rest.at(-1)?.name]).toEqual([TEXT, 'job.completed']);
    }
    expect((await at(received.at(-1)?.id ?? '')).status).toBe(204);
  });
});
