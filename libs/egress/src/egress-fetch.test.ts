import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createEgress } from './egress.ts';
import { createEgressFetch } from './egress-fetch.ts';
import { createEgressRules } from './egress-rules.ts';

const egress = createEgress(createEgressRules({ networks: ['127.0.0.0/8'] }));
const fetch = createEgressFetch(egress, { timeoutMs: 400, maxBytes: 1_000 });

/** @returns its URL; an answer may take its time. */
async function serve(answer: (...exchange: Parameters<RequestListener>) => unknown): Promise<string> {
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('sends what it is given, each kind of body with its type', async () => {
  const received: { method: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
  const url = await serve(async (request, response) => {
    received.push({ method: request.method, headers: request.headers, body: await text(request) });
    response.end();
  });
  await fetch(url, { headers: { authorization: 'Basic x' } });
  await fetch(url, { method: 'POST', body: new URLSearchParams({ a: 'ä b' }) });
  await fetch(url, { method: 'POST', headers: { 'content-type': 'text/x' }, body: 'ä' });
  const form = 'application/x-www-form-urlencoded;charset=UTF-8';
  expect(received).toMatchObject([
    { method: 'GET', headers: { authorization: 'Basic x', 'accept-encoding': 'identity' }, body: '' },
    { method: 'POST', headers: { 'content-type': form, 'content-length': '10' }, body: 'a=%C3%A4+b' },
    { method: 'POST', headers: { 'content-type': 'text/x', 'content-length': '2' }, body: 'ä' },
  ]);
});

test('gives status, headers and body, whichever they are', async () => {
  const url = await serve((request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { 'set-cookie': ['a=1', 'b=2'], location: '/200' }).end(status === 204 ? '' : '{"a":1}');
  });
  for (const status of [200, 302, 400, 500]) {
    const response = await fetch(`${url}${status}`);
    expect([response.status, response.headers.getSetCookie()]).toEqual([status, ['a=1', 'b=2']]);
    expect(await response.json()).toEqual({ a: 1 });
  }
  expect((await fetch(`${url}204`)).body).toBeNull();
  await expect(fetch(`${url}700`)).rejects.toThrow('status 700');
});

test('a body that is too large is an error of its reader, and ends the connection', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const url = await serve((_, response) => {
    response.on('close', resolve).write('x'.repeat(1_001));
  });
  await expect((await fetch(url)).text()).rejects.toThrow('larger than 1000 bytes');
  await closed;
});

test('an answer that comes too late is an error, also in its middle', async () => {
  const silent = await serve(() => {});
  await expect(fetch(silent)).rejects.toMatchObject({ name: 'AbortError' });
  const slow = await serve((_, response) => void response.write('x'));
  const response = await fetch(slow);
  await expect(response.text()).rejects.toThrow(/abort/i);
});

test('the caller’s signal ends it, and limits are the caller’s where there are none', async () => {
  const stopping = new AbortController();
  const url = await serve(() => stopping.abort());
  await expect(createEgressFetch(egress)(url, { signal: stopping.signal })).rejects.toMatchObject({
    name: 'AbortError',
  });
  const large = await serve((_, response) => void response.end('x'.repeat(5_000)));
  expect(await (await createEgressFetch(egress)(large)).text()).toHaveLength(5_000);
});
