import type { ServerResponse } from 'node:http';
import type { ChatMessage } from '@aigolos/contracts';
import type { OpenAI } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ReceivedRequest, sendJson, startServer, type TestServer, write } from '../../test/http-server.ts';
import { describeLlmEngine } from '../conformance/llm-engine.ts';
import type { LlmAnswer, LlmOptions } from './llm-engine.ts';
import { createOpenAICompatibleLlmEngine } from './openai-compatible-llm-engine.ts';
import { createTestLlmEngine } from './test-llm-engine.ts';

const engineAt = (baseUrl: string, apiKey?: string) =>
  createOpenAICompatibleLlmEngine({ baseUrl, apiKey, model: 'remote', upstreamModel: 'big-model' });
const event = (data: unknown) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const delta = (content: string) => event({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
const callDelta = (call: object) =>
  event({ choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: null }] });
const end = (finish_reason: string) => event({ choices: [{ index: 0, delta: {}, finish_reason }] });

describe('the OpenAI-compatible LLM engine', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(answerByTestEngine);
  });
  afterAll(() => server.close());

  describeLlmEngine('OpenAI-compatible HTTP', () => engineAt(server.baseUrl), {
    longQuestion: '[[words 2000]] and more',
    unicodeQuestion: 'Привет 🎉',
  });
});

describe('createOpenAICompatibleLlmEngine', () => {
  let server: TestServer | undefined;
  afterEach(() => server?.close());
  const serve = async (answer: (response: ServerResponse) => unknown) => {
    server = await startServer(async (_, response) => void (await answer(response)));
    return server;
  };

  test('sends what was asked for and no more, once', async () => {
    const { baseUrl, requests } = await serve((response) => void response.end(delta('Hi') + end('stop')));
    await ask(baseUrl, {}, 'secret');
    await ask(baseUrl, { maxTokens: 9, temperature: 0.5, topP: 0.9, seed: 7, stop: ['x'] });
    const common = {
      model: 'big-model',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      stream_options: { include_usage: true },
    };
    expect(requests.map(({ body }) => body)).toEqual([
      common,
      { ...common, max_tokens: 9, temperature: 0.5, top_p: 0.9, seed: 7, stop: ['x'] },
    ]);
    expect(requests[0]).toMatchObject({ url: '/v1/chat/completions', headers: { authorization: 'Bearer secret' } });
  });

  test('sends the format, the tools and what was called in the words of the protocol', async () => {
    const { baseUrl, requests } = await serve((response) => void response.end(delta('Hi') + end('stop')));
    const schema = { type: 'object' };
    const engine = await engineAt(baseUrl);
    const call = { id: 'call_1', name: 'look', arguments: '{}' };
    const messages: ChatMessage[] = [
      { role: 'assistant', content: '', toolCalls: [call] },
      { role: 'tool', content: 'seen', toolCallId: 'call_1' },
    ];
    const options: LlmOptions = {
      stop: [],
      format: { type: 'json_schema', name: 'thing', schema: JSON.stringify(schema) },
      tools: [{ name: 'look', description: 'looks', parameters: JSON.stringify(schema) }],
      toolChoice: 'required',
      parallelToolCalls: false,
    };
    await Array.fromAsync(engine.generate(messages, options, new AbortController().signal));
    expect(requests[0]?.body).toMatchObject({
      messages: [
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }],
        },
        { role: 'tool', content: 'seen', tool_call_id: 'call_1' },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'thing', schema, strict: true } },
      tools: [{ type: 'function', function: { name: 'look', description: 'looks', parameters: schema } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
    });
  });

  test("returns the server's own count of tokens and reason of the end", async () => {
    const usage = event({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 } });
    const { baseUrl } = await serve((response) => void response.end(delta('Hi') + end('length') + usage));
    expect(await ask(baseUrl)).toEqual({
      text: 'Hi',
      answer: { finishReason: 'length', promptTokens: 11, completionTokens: 5, warnings: [] },
    });
  });

  test('says so where the server does not count', async () => {
    const { baseUrl } = await serve((response) => void response.end(delta('a') + delta('b') + end('stop')));
    const { answer } = await ask(baseUrl);
    expect(answer).toMatchObject({ promptTokens: 0, completionTokens: 2, warnings: [/does not count/] });
  });

  test.each([429, 500, 503])('status %d is worth another try, by the caller alone', async (status) => {
    const { baseUrl, requests } = await serve((response) => sendJson(response, status, { error: { message: 'busy' } }));
    await expect(ask(baseUrl)).rejects.toMatchObject({ code: 'LLM_ENGINE_FAILED', retryable: true });
    expect(requests).toHaveLength(1);
  });

  test('a refusal is final and keeps its words', async () => {
    const error = { message: 'temperature is too high', code: 'invalid_value' };
    const { baseUrl } = await serve((response) => sendJson(response, 400, { error }));
    await expect(ask(baseUrl)).rejects.toMatchObject({
      code: 'LLM_ENGINE_REJECTED',
      retryable: false,
      message: expect.stringContaining('temperature is too high'),
    });
  });

  test.each([302, 307])('status %d is final, and where it sends to hears nothing of what was said', async (status) => {
    const elsewhere = await startServer(async (_, response) => void response.end(delta('Hi') + end('stop')));
    onTestFinished(() => elsewhere.close());
    const { baseUrl } = await serve((response) => response.writeHead(status, { location: elsewhere.baseUrl }).end());
    await expect(ask(baseUrl)).rejects.toMatchObject({
      code: 'LLM_ENGINE_REJECTED',
      retryable: false,
      message: expect.stringContaining('is not followed'),
    });
    expect(elsewhere.requests).toEqual([]);
  });

  test("a refused key is final, and the server's words about it are kept back", async () => {
    const { baseUrl } = await serve((response) => sendJson(response, 401, { error: { message: 'bad key sk-123' } }));
    await expect(ask(baseUrl)).rejects.toMatchObject({
      code: 'LLM_ENGINE_REJECTED',
      message: expect.not.stringContaining('sk-123'),
    });
  });

  test.each([
    { message: 'too long', code: 'context_length_exceeded' },
    { message: "This model's maximum context length is 4096 tokens.", code: 400 },
    { message: 'the request exceeds the available context size', type: 'exceed_context_size_error' },
  ])('a prompt that is too long there is told from other refusals (%j)', async (error) => {
    const { baseUrl } = await serve((response) => sendJson(response, 400, { error }));
    await expect(ask(baseUrl)).rejects.toMatchObject({ code: 'LLM_CONTEXT_EXCEEDED', retryable: false });
  });

  test.each([
    ['ends without a reason', (response: ServerResponse) => void response.end(delta('Hi'))],
    ['is cut', async (response: ServerResponse) => write(response, delta('Hi')).then(() => response.destroy())],
    [
      'tells of an error',
      (response: ServerResponse) => void response.end(delta('Hi') + event({ error: 'out of memory' })),
    ],
  ])('an answer that %s is worth another try', async (_, answer) => {
    const { baseUrl } = await serve(answer);
    await expect(ask(baseUrl)).rejects.toMatchObject({ code: 'LLM_ENGINE_FAILED', retryable: true });
  });

  test('a server that does not listen is worth another try', async () => {
    const { baseUrl, close } = await serve(() => {});
    await close();
    await expect(ask(baseUrl)).rejects.toMatchObject({ code: 'LLM_ENGINE_FAILED', retryable: true });
  });
});

async function ask(
  baseUrl: string,
  options: Partial<LlmOptions> = {},
  apiKey?: string,
): Promise<{ text: string; answer: LlmAnswer }> {
  const engine = await engineAt(baseUrl, apiKey);
  const call = engine.generate(
    [{ role: 'user', content: 'Hello' }],
    { stop: [], ...options },
    new AbortController().signal,
  );
  let text = '';
  for (;;) {
    const next = await call.next();
    if (next.done) return { text, answer: next.value };
    text += next.value;
  }
}

/** OpenAI's protocol before the test engine, as servers in the wild speak it. */
async function answerByTestEngine({ body, signal }: ReceivedRequest, response: ServerResponse): Promise<void> {
  const { messages, ...request } = body as unknown as OpenAI.ChatCompletionCreateParams;
  const { response_format: format, tools = [], tool_choice: choice } = request;
  const call = createTestLlmEngine({ paceMsPerToken: 1 }).generate(
    messages.map(({ role, content }) => ({ role, content: content ?? '' }) as ChatMessage),
    {
      stop: (request.stop as string[] | undefined) ?? [],
      maxTokens: request.max_tokens ?? undefined,
      format:
        format?.type === 'json_schema'
          ? { type: 'json_schema', name: format.json_schema.name, schema: JSON.stringify(format.json_schema.schema) }
          : (format as { type: 'json_object' } | undefined),
      tools: (tools as OpenAI.ChatCompletionFunctionTool[]).map((tool) => ({
        name: tool.function.name,
        parameters: JSON.stringify(tool.function.parameters),
      })),
      toolChoice: (choice as OpenAI.ChatCompletionNamedToolChoice | undefined)?.function,
    },
    signal,
  );
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let next = await call.next();
  for (; !next.done; next = await call.next()) await write(response, delta(next.value));
  const { finishReason, promptTokens, completionTokens, toolCalls = [] } = next.value;
  for (const [index, { id, name, arguments: given }] of toolCalls.entries()) {
    await write(response, callDelta({ index, id, type: 'function', function: { name, arguments: '' } }));
    for (const piece of given.match(/.{1,5}/gs) ?? [])
      await write(response, callDelta({ index, function: { arguments: piece } }));
  }
  const usage = { prompt_tokens: promptTokens, completion_tokens: completionTokens };
  response.end(end(finishReason) + event({ choices: [], usage }) + event('[DONE]'));
}
