import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHAT } from './answers.ts';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
const PAGE = 'https://app.example.org';
let closed: House;
let open: House;
beforeAll(async () => {
  closed = await openHouse(redis, mongo);
  open = await openHouse(redis, mongo, {
    CORS_ORIGINS: `${PAGE}, http://localhost:5173`,
    METRICS_ACCESS: 'admin',
  });
});
afterAll(async () => {
  await open.close();
  await closed.close();
});

const PATH = '/v1/chat/completions';
const preflight = { origin: PAGE, 'access-control-request-method': 'POST', 'access-control-request-headers': 'prefer' };
const corsHeaders = ({ headers }: Response) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));

describe('pages of other origins', () => {
  test('are told nothing where the operator names none', async () => {
    const asked = await closed.call(PATH, { method: 'OPTIONS', headers: preflight });
    expect([asked.status, corsHeaders(asked)]).toEqual([405, []]);
    const sent = await closed.call('/v1/limits', { headers: { origin: PAGE } });
    expect([sent.status, corsHeaders(sent)]).toEqual([200, []]);
  });

  test('that are named may call with a key, and never with what a browser sends by itself', async () => {
    const asked = await fetch(`${open.url}${PATH}`, { method: 'OPTIONS', headers: preflight });
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'GET, HEAD, POST, PATCH, DELETE',
      'access-control-allow-headers': 'prefer',
      'access-control-max-age': '600',
      vary: expect.stringContaining('Origin'),
    });
    const sent = await open.call('/v1/limits', { headers: { origin: PAGE } });
    expect(sent.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(sent.headers.get('access-control-expose-headers')).toContain('x-job-id');
    for (const { headers } of [asked, sent]) expect(headers.has('access-control-allow-credentials')).toBe(false);
    const refused = await fetch(`${open.url}/v1/limits`, { headers: { origin: PAGE } });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, PAGE]);
  });

  test.each(['https://evil.example.org', `${PAGE}.evil.org`, 'http://app.example.org', 'null', `${PAGE}:444`])(
    'that are not named, such as %s, are told nothing',
    async (origin) => {
      const asked = await fetch(`${open.url}${PATH}`, { method: 'OPTIONS', headers: { ...preflight, origin } });
      expect(asked.headers.has('access-control-allow-origin')).toBe(false);
      const sent = await open.call('/v1/limits', { headers: { origin } });
      expect(sent.headers.has('access-control-allow-origin')).toBe(false);
    },
  );

  test('an address that is not there is a 404 beside the route of preflights too', async () => {
    expect((await open.call('/nothing')).status).toBe(404);
  });

  test.each([`${PAGE}/path`, '*', 'example.org', 'https://App.example.org'])(
    'a list with %s in it is refused at the start',
    async (origins) => {
      await expect(openHouse(redis, mongo, { CORS_ORIGINS: origins })).rejects.toThrow('CORS_ORIGINS');
    },
  );

  test('a key that a browser keeps for the pages of operators makes nothing for another site', async () => {
    const basic = `Basic ${btoa(`admin:${closed.keys.admin}`)}`;
    const send = (site: string) =>
      fetch(`${closed.url}/v1/exports`, {
        method: 'POST',
        headers: { authorization: basic, 'sec-fetch-site': site, prefer: 'respond-async' },
      });
    expect((await send('cross-site')).status).toBe(403);
    expect((await send('same-site')).status).toBe(403);
    expect((await send('same-origin')).status).toBe(202);
  });
});

interface Operation {
  requestBody?: { content: Record<string, unknown> };
}

test('every route refuses a body of another type than its own by a 415 that says which one is right', async () => {
  const file = join(import.meta.dirname, '..', '..', '..', 'docs', 'openapi.json');
  const { paths } = JSON.parse(await readFile(file, 'utf8')) as { paths: Record<string, Record<string, Operation>> };
  const types = [
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
  ];
  let refusals = 0;
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { requestBody }] of Object.entries(operations)) {
      if (method === 'get') continue;
      const [expected = 'application/json'] = Object.keys(requestBody?.content ?? {});
      const other = expected === 'application/json' ? 'multipart/form-data; boundary=x' : 'application/json';
      for (const type of [...types, other]) {
        const answer = await closed.call(path.replaceAll(/\{\w+\}/g, 'x_1'), {
          method: method.toUpperCase(),
          key: closed.keys.admin,
          headers: { 'content-type': type },
          body: '{}',
        });
        const { error } = (await answer.json()) as { error: { message: string } };
        expect([method, path, type, answer.status]).toEqual([method, path, type, 415]);
        expect(error.message).toContain(expected);
        refusals += 1;
      }
    }
  }
  expect(refusals).toBeGreaterThan(100);
});

test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
  'JSON is JSON as %s',
  async (type) => {
    const answer = await closed.post(PATH, CHAT, { 'content-type': type, prefer: 'respond-async' });
    expect(answer.status).toBe(202);
  },
);

test('a body in a coding is refused, and what a client says of proxies or hosts changes no answer', async () => {
  const coded = await closed.post(PATH, CHAT, { 'content-encoding': 'gzip' });
  expect(coded.status).toBe(415);
  const headers = { 'x-forwarded-host': 'evil.org', 'x-forwarded-proto': 'https', forwarded: 'host=evil.org' };
  const answer = await closed.post(PATH, CHAT, { prefer: 'respond-async', ...headers });
  expect(answer.headers.get('location')).toMatch(/^\/v1\/jobs\/cht_\w+$/);
  expect(await answer.text()).not.toContain('evil.org');
});

test('metrics are for operators alone where the installation says so', async () => {
  expect((await fetch(`${closed.url}/metrics`)).status).toBe(200);
  expect((await fetch(`${open.url}/metrics`)).status).toBe(401);
  expect((await open.call('/metrics')).status).toBe(403);
  expect((await open.call('/metrics', { key: open.keys.admin })).status).toBe(200);
});
