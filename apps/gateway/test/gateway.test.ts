import { request as rawRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { ProblemSchema, QUEUE_NAMES } from '@aigolos/contracts';
import { loadConfig } from '@aigolos/runtime';
import { testLog, useMongo, useRedis } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigSchema } from '../src/config.ts';
import { createGateway } from '../src/gateway.ts';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
});
afterAll(() => house.close());

const CHAT = '/v1/chat/completions';
const json = { 'content-type': 'application/json' };

describe('who may call', () => {
  test.each(['/healthz', '/readyz', '/metrics', '/openapi.json'])('everybody: %s', async (path) => {
    expect((await fetch(new URL(path, house.url))).status).toBe(200);
  });

  test('a key is needed, and a wrong one is refused before the body is read', async () => {
    const none = await fetch(new URL('/v1/models', house.url));
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await none.json()).toMatchObject({ error: { type: 'authentication_error', code: 'api_key_missing' } });
    const wrong = await house.call(CHAT, { key: 'sk-wrong', method: 'POST', body: '{', headers: json });
    expect(wrong.status).toBe(401);
    expect(await wrong.json()).toMatchObject({ error: { code: 'invalid_api_key' } });
  });

  test("the queues' board is for operators, who may open it in a browser", async () => {
    const asked = await fetch(new URL('/admin/queues', house.url));
    expect([asked.status, asked.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="AIGolos"']);
    expect((await house.call('/admin/queues')).status).toBe(403);
    const basic = { headers: { authorization: `Basic ${btoa(`admin:${house.keys.admin}`)}` } };
    const page = await fetch(new URL('/admin/queues', house.url), basic);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('AIGolos queues');
    const queues = await fetch(new URL('/admin/queues/api/queues', house.url), basic);
    expect(await queues.json()).toMatchObject({ queues: QUEUE_NAMES.map((name) => ({ name })) });
    const pause = await fetch(new URL('/admin/queues/api/queues/llm/pause', house.url), { method: 'PUT', ...basic });
    expect(pause.status).toBe(405);
  });
});

describe('errors', () => {
  test('are problem details on our own routes, with the id of the request', async () => {
    const response = await house.call('/v1/jobs?limit=1000&kind=song', { headers: { 'x-request-id': 'mine-1' } });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(response.headers.get('x-request-id')).toBe('mine-1');
    const problem = ProblemSchema.parse(await response.json());
    expect(problem).toMatchObject({ code: 'VALIDATION_FAILED', request_id: 'mine-1', title: 'Bad Request' });
    expect(problem.errors.map(({ path }) => path).toSorted()).toEqual(['kind', 'limit']);
  });

  test('an id that is not fit for a header is replaced', async () => {
    const response = await house.call('/v1/jobs', { headers: { 'x-request-id': 'a b' } });
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
  });

  test.each([
    ['not JSON', '{"model": ', json, 400, 'The body is not valid JSON'],
    ['a poisoned body', '{"__proto__": {}}', json, 400, 'The body is not valid JSON'],
    ['no body', '', json, 400, 'The request has no body'],
    ['another type', 'model=x', { 'content-type': 'text/plain' }, 415, 'application/json'],
    ['a huge body', JSON.stringify({ a: 'x'.repeat(600_000) }), json, 413, '524288 bytes'],
  ])('%s is refused with a reason', async (_what, body, headers, status, reason) => {
    const response = await house.call(CHAT, { method: 'POST', body, headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(reason) } });
  });

  test.each([
    ['GET', '/nothing', 'ROUTE_NOT_FOUND'],
    ['PUT', '/v1/jobs', 'METHOD_NOT_ALLOWED'],
    ['PUT', '/v1/jobs/trn_1/nothing', 'ROUTE_NOT_FOUND'],
    ['GET', '/%', 'VALIDATION_FAILED'],
  ])('%s %s is a problem', async (method, path, code) => {
    const url = new URL(house.url);
    const { promise, resolve } = Promise.withResolvers<string>();
    const sent = rawRequest({ host: url.hostname, port: url.port, method, path }, (answer) => resolve(text(answer)));
    sent.end();
    expect(JSON.parse(await promise)).toMatchObject({ code, request_id: expect.any(String) });
  });

  test('a method that a path does not take is told those that it takes', async () => {
    const answer = await house.call('/v1/jobs/trn_1?wait=1', { method: 'PUT' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD']);
    const openAI = await house.call('/v1/models', { method: 'DELETE' });
    expect(await openAI.json()).toMatchObject({ error: { code: 'method_not_allowed' } });
  });
});

// That it has every route is seen where docs/openapi.json is compared with it.
test('the OpenAPI document has the security of a route, and the form of an upload', async () => {
  const document = (await (await fetch(new URL('/openapi.json', house.url))).json()) as {
    openapi: string;
    paths: Record<string, Record<string, { security?: unknown[]; requestBody?: { content: Record<string, unknown> } }>>;
    components: { schemas: Record<string, { properties?: Record<string, unknown> }> };
  };
  expect(document.openapi).toBe('3.2.0');
  const form = document.paths['/v1/audio/transcriptions']?.['post'];
  expect(form?.security).toEqual([{ apiKey: ['transcriptions'] }]);
  expect(Object.keys(form?.requestBody?.content ?? {})).toEqual(['multipart/form-data']);
  expect(document.components.schemas['TranscriptionFormInput']?.properties).toHaveProperty('file');
});

test('requests are measured by their route, not by their address', async () => {
  await house.call('/v1/jobs/trn_unknown');
  const metrics = await (await fetch(new URL('/metrics', house.url))).text();
  expect(metrics).toMatch(/aigolos_http_request_duration_seconds_count\{.*route="\/v1\/jobs\/:id",status="404".*\} 1/);
  expect(metrics).not.toContain('trn_unknown');
});

test('a port that is taken is said in one sentence', async () => {
  const { port } = new URL(house.url);
  const env = { REDIS_URL: redis.url, MONGO_URL: mongo.newDatabaseUrl(), BLOB_DIR: tmpdir(), PORT: port };
  const second = createGateway(loadConfig(ConfigSchema, env), testLog);
  await expect(second.start()).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`);
  await second.stop();
});
