import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ApiError, ConnectionError, createClient } from '../src/index.ts';
import { cut, job, json, nobodyAt, problem, serve } from './service.ts';

const CHAT = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'hi' }] };

describe('a submission', () => {
  test('is sent again under the same key after a cut line and after 503, and says what it was told to', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const keep =
      (answer: Parameters<typeof serve>[0]) =>
      (...both: Parameters<typeof answer>) => {
        seen.push(both[0].headers);
        return answer(...both);
      };
    const unavailable = problem(503, { code: 'SERVICE_UNAVAILABLE', detail: 'away' }, { 'retry-after': '0' });
    await using service = await serve(...[cut, unavailable, json(202, job({ id: 'cht_1' }))].map(keep));
    const submitted = await service.client.chat.submit(CHAT, {
      priority: 'high',
      startWithinSeconds: 30,
      metadata: { order: 'siebzehn – 17' },
    });
    expect(submitted.id).toBe('cht_1');
    const key = seen[0]?.['idempotency-key'];
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    for (const headers of seen) {
      expect(headers).toMatchObject({
        'idempotency-key': key,
        prefer: 'respond-async',
        authorization: 'Bearer sk-test',
      });
      expect(headers).toMatchObject({ 'x-priority': 'high', 'x-start-by': '30' });
      expect(Buffer.from(String(headers['x-metadata-order']), 'latin1').toString()).toBe('siebzehn – 17');
    }
    expect(seen).toHaveLength(3);
  });

  test('has another key each time, unless one is given', async () => {
    const keys: unknown[] = [];
    const answer = json(202, job());
    const keep: typeof answer = (request, response) => {
      keys.push(request.headers['idempotency-key']);
      return answer(request, response);
    };
    await using service = await serve(keep, keep, keep);
    await service.client.chat.submit(CHAT);
    await service.client.chat.submit(CHAT);
    await service.client.chat.submit(CHAT, { idempotencyKey: 'mine' });
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe('mine');
  });
});

describe('a request that failed', () => {
  test('is not sent again where a quota is used up', async () => {
    const error = { message: 'used up', type: 'insufficient_quota', param: null, code: 'insufficient_quota' };
    await using service = await serve(json(429, { error }), json(202, job()));
    await expect(service.client.chat.submit(CHAT)).rejects.toMatchObject({ status: 429, code: 'QUOTA_EXCEEDED' });
  });

  test('waits as long as the service asks for before it is sent again', async () => {
    await using service = await serve(problem(429, {}, { 'retry-after': '1' }), json(200, job()));
    const begun = performance.now();
    await service.client.jobs.get('trn_1');
    expect(performance.now() - begun).toBeGreaterThanOrEqual(990);
  });

  test.each([
    ['a request that is wrong', problem(400, { code: 'VALIDATION_FAILED', detail: 'no' })],
    ['an error of the service', problem(500, { code: 'INTERNAL', detail: 'no' })],
  ])('is not sent again: %s', async (_, answer) => {
    await using service = await serve(answer, json(200, job()));
    await expect(service.client.jobs.get('trn_1')).rejects.toThrow(ApiError);
    expect(service.asked).toHaveLength(1);
  });

  test('is not sent again where a second one would be answered otherwise: a delete', async () => {
    await using service = await serve(cut, json(200, {}));
    await expect(service.client.jobs.delete('trn_1')).rejects.toThrow(ConnectionError);
    expect(service.asked).toEqual(['DELETE /v1/jobs/trn_1']);
  });

  test('is given up in the end, with what was wrong', async () => {
    const client = createClient({ baseUrl: await nobodyAt(), apiKey: 'sk-test', maxRetries: 1 });
    await expect(client.jobs.get('trn_1')).rejects.toThrow(/127\.0\.0\.1:\d+ does not answer \(.*ECONNREFUSED/);
  });

  test('ends at once when its signal aborts, also while it waits for its next try', async () => {
    await using service = await serve(problem(503, {}, { 'retry-after': '60' }));
    const reason = new Error('enough');
    const stop = new AbortController();
    const answer = service.client.jobs.get('trn_1', { signal: stop.signal });
    setTimeout(() => stop.abort(reason), 50);
    await expect(answer).rejects.toBe(reason);
  });
});

describe('an error', () => {
  test('of our own routes tells code, fields, request and when to come back', async () => {
    const body = { code: 'JOB_NOT_DELETABLE', detail: 'It runs.', errors: [{ path: 'id', message: 'runs' }] };
    const headers = { 'x-request-id': 'req_1', 'retry-after': '7' };
    await using service = await serve(problem(409, body, headers));
    const error = await service.client.jobs.delete('trn_1').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      message: 'It runs.',
      status: 409,
      code: 'JOB_NOT_DELETABLE',
      issues: [{ path: 'id', message: 'runs' }],
      requestId: 'req_1',
      retryAfterSeconds: 7,
    });
  });

  test.each([
    ['model_not_found', 'MODEL_NOT_FOUND'],
    ['invalid_api_key', 'API_KEY_INVALID'],
    ['context_length_exceeded', 'LLM_CONTEXT_EXCEEDED'],
  ])("of OpenAI's routes, %s, has our code", async (code, ours) => {
    const error = { message: 'no such thing', type: 'invalid_request_error', param: 'model', code };
    await using service = await serve(json(404, { error }, { 'x-job-id': 'cht_1' }));
    await expect(service.client.chat.submit(CHAT)).rejects.toMatchObject({
      message: 'no such thing',
      code: ours,
      param: 'model',
      jobId: 'cht_1',
    });
  });

  test('of something between says what it was', async () => {
    await using service = await serve((_, response) => response.writeHead(502).end('<html>'));
    await expect(service.client.jobs.get('trn_1')).rejects.toMatchObject({
      message: expect.stringMatching(/\/v1\/jobs\/trn_1 answered 502/),
      code: 'SERVICE_UNAVAILABLE',
    });
  });
});

test('a list asks for what it was told to', async () => {
  await using service = await serve(json(200, { data: [] }));
  await service.client.jobs.list({ limit: 5, kind: 'chat', order: 'asc', metadata: { order: 'siebzehn' } });
  expect(service.asked.map(decodeURIComponent)).toEqual([
    'GET /v1/jobs?limit=5&kind=chat&order=asc&metadata[order]=siebzehn',
  ]);
});

test('results come as what they are: JSON, text, sound', async () => {
  const sound: Parameters<typeof serve>[0] = (_, response) =>
    response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound');
  const text: typeof sound = (_, response) => response.writeHead(200, { 'content-type': 'text/vtt' }).end('WEBVTT');
  await using service = await serve(json(200, { text: 'hello' }), text, sound);
  const { jobs } = service.client;
  expect(await jobs.result('transcription', 'trn_1')).toEqual({ text: 'hello' });
  expect(await jobs.result('transcription', 'trn_1')).toBe('WEBVTT');
  const speech = await jobs.result('speech', 'spc_1');
  expect((await buffer(await speech.blob().then((blob) => blob.stream()))).toString()).toBe('sound');
});

test('results come in the form that they are asked for in, of whatever kind their job is', async () => {
  const accepted: unknown[] = [];
  const answering =
    (contentType: string, body: string): Parameters<typeof serve>[0] =>
    (request, response) => {
      accepted.push(request.headers.accept);
      response.writeHead(200, { 'content-type': contentType }).end(body);
    };
  await using service = await serve(
    answering('application/x-subrip; charset=utf-8', '1'),
    answering('text/vtt; charset=utf-8', 'WEBVTT'),
    answering('text/plain; charset=utf-8', 'hello'),
    answering('application/json; charset=utf-8', '{"chapters":[{"title":"The rain"}]}'),
    answering('audio/mpeg', 'sound'),
    answering('application/json', '{"answer":{"text":"Fine."}}'),
  );
  const { jobs } = service.client;
  expect(await jobs.result('transcription', 'trn_1', { as: 'srt' })).toBe('1');
  expect(await jobs.result('speech', 'spc_1', { as: 'vtt' })).toBe('WEBVTT');
  expect(await jobs.result('translation', 'trn_1', { as: 'text' })).toBe('hello');
  expect((await jobs.result('speech', 'spc_1', { as: 'json' })).chapters[0]?.title).toBe('The rain');
  expect(await (await jobs.result('voice-turn', 'vtn_1', { as: 'audio' })).text()).toBe('sound');
  expect((await jobs.result('voice-turn', 'vtn_1')).answer.text).toBe('Fine.');
  // @ts-expect-error No transcript is to be had as sound, and that is known before it is asked for.
  const wrong = () => jobs.result('transcription', 'trn_1', { as: 'audio' });
  expect(wrong).toBeTypeOf('function');
  expect(accepted).toEqual(['application/x-subrip', 'text/vtt', 'text/plain', 'application/json', 'audio/*', '*/*']);
});
