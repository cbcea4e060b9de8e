import { ChatCompletionSchema, type ConversationView, type JobView, LlmServiceError } from '@aigolos/contracts';
import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CHAT, ended, heldBack, said } from '../../../test/answers.ts';
import { eventsIn, type ReceivedEvent, receivedIn, textIn } from '../../../test/events.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;

const LOOK = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } };
const PATH = '/v1/chat/completions';
const stream = (fields: object = {}) => house.post(PATH, { ...CHAT, stream: true, ...fields });
/** The data of each event. */
const eventsOf = async (response: Response) =>
  [...(await response.text()).matchAll(/^data: (.+)$/gm)].map(([, data = '']) =>
    data === '[DONE]' ? data : (JSON.parse(data) as object),
  );
const textOf = (events: unknown[]) =>
  (events as { choices?: { delta?: { content?: string } }[] }[])
    .map((event) => event.choices?.[0]?.delta?.content ?? '')
    .join('');

describe('a chat', () => {
  beforeEach(async () => {
    house = await openHouse(redis, mongo);
  });
  afterEach(() => house.close());

  test('is answered in the shape of OpenAI, and is a job', async () => {
    await house.work('chat', async ({ job }) =>
      said(`you said ${job.task.messages[0]?.content}`, { warnings: ['slow'] }),
    );
    const response = await house.post(PATH, { ...CHAT, top_k: 4, user: 'u1', stop: 'x', developer: false });
    expect(response.status).toBe(200);
    const completion = ChatCompletionSchema.parse(await response.json());
    expect(completion).toMatchObject({
      model: 'test-llm',
      choices: [{ message: { role: 'assistant', content: 'you said hi' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
    expect(response.headers.get('x-job-id')).toBe(completion.id);
    expect(response.headers.get('x-warnings')).toBe('Ignored, because not supported: top_k, user. | slow');
  });

  test('takes OpenAI’s other ways to say the same', async () => {
    await house.work('chat', async ({ job: { task } }) => said(JSON.stringify(task)));
    const response = await house.post(PATH, {
      model: 'test-llm',
      messages: [
        {
          role: 'developer',
          content: [
            { type: 'text', text: 'be ' },
            { type: 'text', text: 'kind' },
          ],
        },
        { role: 'user', content: 'hi' },
      ],
      max_completion_tokens: 7,
      max_tokens: null,
      top_p: 0.5,
      seed: 1,
      stop: ['a', 'b'],
    });
    const { choices } = ChatCompletionSchema.parse(await response.json());
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({
      model: 'test-llm',
      messages: [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: 'hi' },
      ],
      maxTokens: 7,
      topP: 0.5,
      seed: 1,
      stop: ['a', 'b'],
    });
  });

  test('is asked with the tools, the format and what was called before', async () => {
    await house.work('chat', async ({ job: { task } }) => said(JSON.stringify(task)));
    const schema = { $ref: '#/$defs/a.b', $defs: { 'a.b': { type: 'object' } } };
    const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } };
    const response = await house.post(PATH, {
      model: 'test-llm',
      messages: [
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', content: '', tool_call_id: 'call_1' },
      ],
      tools: [LOOK],
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'thing', schema } },
    });
    const { choices } = ChatCompletionSchema.parse(await response.json());
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({
      model: 'test-llm',
      messages: [
        { role: 'assistant', content: '', toolCalls: [{ id: 'call_1', name: 'look', arguments: '{}' }] },
        { role: 'tool', content: '', toolCallId: 'call_1' },
      ],
      stop: [],
      format: { type: 'json_schema', name: 'thing', schema: JSON.stringify(schema) },
      tools: [{ name: 'look', parameters: '{"type":"object"}' }],
      toolChoice: 'auto',
      parallelToolCalls: false,
    });
  });

  test('tells what the model calls, whole and in pieces', async () => {
    const toolCalls = [{ id: 'call_1', name: 'look', arguments: '{"at":"me"}' }];
    await house.work('chat', async () => said('', { result: { text: '', finishReason: 'tool_calls', toolCalls } }));
    const view = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":"me"}' } };
    const whole = ChatCompletionSchema.parse(await (await house.post(PATH, { ...CHAT, tools: [LOOK] })).json());
    expect(whole.choices).toMatchObject([
      { message: { content: null, tool_calls: [view] }, finish_reason: 'tool_calls' },
    ]);
    const events = await eventsOf(await stream({ tools: [LOOK] }));
    expect(events.slice(-3)).toMatchObject([
      { choices: [{ delta: { tool_calls: [{ index: 0, ...view }] }, finish_reason: null }] },
      { choices: [{ delta: {}, finish_reason: 'tool_calls' }] },
      '[DONE]',
    ]);
  });

  test('begins a conversation, and goes on with it; somebody else’s is not found', async () => {
    await house.work('chat', async ({ job }) => said(String(job.turn)));
    const ask = async (conversation: unknown) => {
      const response = await house.post(PATH, { ...CHAT, conversation });
      return { status: response.status, body: (await response.json()) as { conversation?: { id: string } } };
    };
    const first = await ask('new');
    const id = first.body.conversation?.id;
    expect(id).toMatch(/^conv_/);
    expect(await ask({ id })).toMatchObject({
      status: 200,
      body: { conversation: { id }, choices: [{ message: { content: '1' } }] },
    });
    const stranger = { key: house.keys.stranger, headers: { 'content-type': 'application/json' } };
    const body = JSON.stringify({ ...CHAT, conversation: id });
    const refused = await house.call(PATH, { method: 'POST', body, ...stranger });
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ error: { code: 'conversation_not_found', param: 'conversation' } });
  });

  test('shows what a turn changes in its conversation at once, however often it was asked for before', async () => {
    const send = (conversation: string, days: number) =>
      house.post(PATH, { ...CHAT, conversation }, { prefer: 'respond-async', 'x-retention': `conversation=${days}d` });
    const { conversation } = (await (await send('new', 1)).json()) as JobView;
    const daysLeft = async () => {
      const view = (await (await house.call(`/v1/conversations/${conversation}`)).json()) as ConversationView;
      return Math.round(((view.expires_at ?? 0) - Date.now() / 1_000) / 86_400);
    };
    for (let days = 1; days < 6; days += 1) {
      await send(conversation ?? '', days);
      for (let time = 0; time < 3; time += 1) expect(await daysLeft()).toBe(days);
    }
    const stranger = await house.call(`/v1/conversations/${conversation}`, { key: house.keys.stranger });
    expect(stranger.status).toBe(404);
  });

  test('5000 characters are 5000 characters, whatever they are made of', async () => {
    await house.work('chat', async () => said('ok'));
    const response = await house.post(PATH, { ...CHAT, messages: [{ role: 'user', content: '😀'.repeat(5_000) }] });
    expect(response.status).toBe(200);
  });

  test('a failure of the engine is the answer’s status, and clients do not submit it anew', async () => {
    await house.work('chat', async () => {
      throw new LlmServiceError('The prompt has 9000 tokens, the model reads 4096.', { code: 'LLM_CONTEXT_EXCEEDED' });
    });
    for (const fields of [{}, { stream: true }]) {
      const response = await house.post(PATH, { ...CHAT, ...fields });
      expect(response.status).toBe(400);
      expect(response.headers.get('x-should-retry')).toBe('false');
      expect(response.headers.get('x-job-id')).toMatch(/^cht_/);
      expect(await response.json()).toMatchObject({ error: { code: 'context_length_exceeded' } });
    }
  });

  test('goes on when the client leaves', async () => {
    const { process, started, letGo } = heldBack();
    await house.work('chat', process);
    const leaving = new AbortController();
    const call = house.call(PATH, {
      method: 'POST',
      body: JSON.stringify(CHAT),
      headers: { 'content-type': 'application/json' },
      signal: leaving.signal,
    });
    const id = await started;
    leaving.abort();
    await expect(call).rejects.toThrow('aborted');
    letGo();
    expect(await ended(house, id)).toMatchObject({ status: 'completed', attempt: 1 });
  });
});

describe('a chat that is refused', () => {
  beforeAll(async () => {
    house = await openHouse(redis, mongo);
  });
  afterAll(() => house.close());

  test.each([
    [{ messages: [] }, 400, 'messages'],
    [{ messages: undefined, model: undefined }, 400, 'model is required; messages is required'],
    [{ messages: [{ role: 'user', content: '' }] }, 400, 'message must have 1 to 5000 characters, this one has 0'],
    [{ messages: [{ role: 'user', content: 'x'.repeat(6_120) }] }, 400, 'this one has 6120'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      400,
      'images, audio and files are not supported',
    ],
    [{ temperature: 2.5 }, 400, 'temperature must be a number from 0 to 2, not 2.5'],
    [{ n: 2 }, 400, 'n must be 1'],
    [{ response_format: { type: 'xml' } }, 400, 'must be text, json_object or json_schema'],
    [{ tools: [{ type: 'web_search' }] }, 400, 'AIGolos has no tools of its own'],
    [{ tools: [LOOK, LOOK] }, 400, 'tools has two functions named look'],
    [{ tools: [LOOK], tool_choice: { type: 'function', function: { name: 'see' } } }, 400, 'tool_choice names see'],
    [{ tool_choice: 'required' }, 400, 'tool_choice is only for requests with tools'],
    [{ model: 'plain-llm', tools: [LOOK] }, 400, 'Model plain-llm cannot call functions'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 400, 'tool_call_id'],
    [{ functions: [{ name: 'look' }] }, 400, 'functions are not supported: send tools'],
    [{ model: 'gpt-99' }, 404, 'Models for chat here: plain-llm, test-llm'],
    [{ model: 'whisper-1' }, 404, 'is for transcription'],
    [{ conversation: 'conv_1' }, 404, 'There is no conversation conv_1'],
  ])('%j is refused, and no job is made', async (fields, status, message) => {
    const response = await house.post(PATH, { ...CHAT, ...fields });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(message) } });
    expect(await house.db.jobs.list({ account: house.account, limit: 1 })).toEqual([]);
  });
});

describe('a streamed chat', () => {
  beforeEach(async () => {
    house = await openHouse(redis, mongo);
  });
  afterEach(() => house.close());

  test('comes in pieces while it is made, with usage where asked', async () => {
    const first = Promise.withResolvers<void>();
    await house.work('chat', async ({ emitDelta }) => {
      emitDelta('one ');
      await first.promise;
      emitDelta('two');
      return said('one two');
    });
    const response = await stream({ stream_options: { include_usage: true } });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    // The headers are there while the job still runs.
    first.resolve();
    const events = await eventsOf(response);
    expect(events.at(-1)).toBe('[DONE]');
    expect(textOf(events)).toBe('one two');
    expect(events[0]).toMatchObject({
      object: 'chat.completion.chunk',
      choices: [{ delta: { role: 'assistant' } }],
      usage: null,
    });
    expect(events.at(-3)).toMatchObject({ choices: [{ delta: {}, finish_reason: 'stop' }] });
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { total_tokens: 5 } });
    expect(new Set(events.slice(0, -1).map((event) => (event as { id?: string }).id)).size).toBe(1);
  });

  test('has ids after each of which the events of its job go on, while it is made and after its end', async () => {
    const rest = Promise.withResolvers<void>();
    await house.work('chat', async ({ emitDelta }) => {
      emitDelta('one ');
      emitDelta('two ');
      await rest.promise;
      emitDelta('three 😀');
      return said('one two three 😀');
    });
    const response = await stream({ stream_options: { include_usage: true } });
    const resume = (id: string) =>
      house.call(`/v1/jobs/${response.headers.get('x-job-id')}/events`, { headers: { 'last-event-id': id } });
    const goesOn = async ({ id }: ReceivedEvent, read: string) => {
      const events = await Array.fromAsync(eventsIn(await resume(id)));
      const deltas = events.flatMap(({ data }) => (data.type === 'job.delta' ? [data.delta] : []));
      // Nothing comes twice.
      expect(read + deltas.join('')).toBe('one two three 😀');
      expect([textIn(events, read), events.at(-1)?.name]).toEqual(['one two three 😀', 'job.completed']);
    };
    const chunks = receivedIn(response);
    const seen: { event: ReceivedEvent; read: string }[] = [];
    const next = async () => {
      const { value: event } = (await chunks.next()) as { value: ReceivedEvent | undefined };
      if (event)
        seen.push({
          event,
          read: (seen.at(-1)?.read ?? '') + (event.data === '[DONE]' ? '' : textOf([JSON.parse(event.data)])),
        });
      return event;
    };
    while (seen.at(-1)?.read !== 'one two ') await next();
    const whileItRuns = seen.map(({ event, read }) => goesOn(event, read));
    rest.resolve();
    await Promise.all(whileItRuns);
    while (await next());
    const last = seen.pop();
    expect(last?.event.data).toBe('[DONE]');
    expect((await resume(last?.event.id ?? '')).status).toBe(204);
    expect(seen.length).toBeGreaterThan(4);
    for (const { event, read } of seen) await goesOn(event, read);
  });

  test('over an attempt that failed in the middle says every piece once', async () => {
    await house.work('chat', async ({ job, emitDelta }) => {
      emitDelta('one ');
      if (job.attempt === 1) {
        emitDelta('two ');
        throw new LlmServiceError('again', { code: 'LLM_ENGINE_FAILED', retryable: true });
      }
      emitDelta('two three');
      return said('one two three');
    });
    const events = await eventsOf(await stream());
    expect(textOf(events)).toBe('one two three');
    expect(events.at(-1)).toBe('[DONE]');
  });

  test('whose second attempt answers otherwise ends with an error that says where the answer is', async () => {
    await house.work('chat', async ({ job, emitDelta }) => {
      emitDelta(job.attempt === 1 ? 'yes' : 'no');
      if (job.attempt === 1) throw new LlmServiceError('again', { code: 'LLM_ENGINE_FAILED', retryable: true });
      return said('no');
    });
    const response = await stream();
    const id = response.headers.get('x-job-id');
    const events = await eventsOf(response);
    expect(textOf(events)).toBe('yes');
    expect(events.at(-1)).toMatchObject({ error: { message: expect.stringContaining(`/v1/jobs/${id}/result`) } });
  });

  test('of a job that is cancelled ends with an error', async () => {
    const running = Promise.withResolvers<string>();
    await house.work('chat', async ({ job, emitDelta, signal }) => {
      emitDelta('so ');
      running.resolve(job._id);
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      return said('never');
    });
    const response = await stream();
    await house.call(`/v1/jobs/${await running.promise}/cancel`, { method: 'POST' });
    expect((await eventsOf(response)).at(-1)).toMatchObject({ error: { code: 'job_cancelled' } });
  });

  test('goes on when the client leaves, and its watch ends', async () => {
    const { process, started, letGo } = heldBack('one two');
    await house.work('chat', async (context) => {
      context.emitDelta('one ');
      return process(context);
    });
    const leaving = new AbortController();
    const response = await house.call(PATH, {
      method: 'POST',
      body: JSON.stringify({ ...CHAT, stream: true }),
      headers: { 'content-type': 'application/json' },
      signal: leaving.signal,
    });
    const id = await started;
    leaving.abort();
    await expect(response.text()).rejects.toThrow('aborted');
    letGo();
    expect(await ended(house, id)).toMatchObject({ status: 'completed' });
    await waitUntil('the request is over', async () => {
      const metrics = await (await house.call('/metrics')).text();
      return /request_duration_seconds_count\{.*route="\/v1\/chat\/completions",status="499"/.test(metrics);
    });
  });
});
