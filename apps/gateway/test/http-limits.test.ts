import { once } from 'node:events';
import { Readable } from 'node:stream';
import { ProblemSchema } from '@aigolos/contracts';
import { testLog, useMongo, useRedis } from '@aigolos/testing';
import Fastify, { type FastifyBaseLogger } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectionLimits, HTTP_OPTIONS, refuseConnection } from '../src/plugins/connections.ts';
import { CHAT } from './answers.ts';
import { type House, openHouse } from './harness.ts';
import { dial, readAnswers, sayRaw } from './raw-http.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
beforeAll(async () => {
  house = await openHouse(redis, mongo, { UPLOAD_IDLE_MS: '1000', READER_IDLE_MS: '1000' });
});
afterAll(() => house.close());

const PATH = '/v1/chat/completions';
const MB = 1024 ** 2;
const SMUGGLED = 'GET /v1/limits HTTP/1.1\r\nHost: inner\r\n\r\n';

describe('a request that two readers could read in two ways is refused, and nothing after it is read', () => {
  test.each([
    ['a length that is said twice', `Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
    ['a length beside chunks', `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['chunks beside a length', `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['chunks that are not the last coding', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a coding that nobody knows', `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a space before the colon', `Content-Length : ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
    ['a length that is no number', `Content-Length: +${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
    ['a line that ends with CR alone', `X-A: 1\rContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
    ['a NUL in a header', `X-A: 1\0\r\n\r\n${SMUGGLED}`],
    ['a chunk without its end', `Transfer-Encoding: chunked\r\n\r\n1\r\nabc0\r\n\r\n${SMUGGLED}`],
  ])('%s', async (_what, rest) => {
    const head = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${house.keys.user}\r\nContent-Type: application/json\r\n`;
    const { statuses, body } = readAnswers(await sayRaw(house.url, head + rest));
    expect(statuses).toEqual([400]);
    expect(ProblemSchema.parse(JSON.parse(body))).toMatchObject({
      code: 'VALIDATION_FAILED',
      detail: 'This is not a well-formed HTTP/1.1 request.',
      request_id: expect.stringMatching(/^req_/),
      error: { type: 'invalid_request_error' },
    });
  });

  test.each([
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['two hosts', 'GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: a\r\nhost: b\r\n\r\n'],
    [
      'two keys',
      'GET /v1/limits HTTP/1.1\r\nConnection: close\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n',
    ],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s', async (_what, bytes) => {
    expect(readAnswers(await sayRaw(house.url, bytes)).statuses).toEqual([400]);
  });
});

describe('the head of a request is bounded', () => {
  const get = (headers: string, path = '/healthz') =>
    sayRaw(house.url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);

  test.each([
    ['an address of 20 kB', '', `/v1/jobs?after=${'x'.repeat(20_000)}`, 'at most 16384 bytes'],
    ['a header of 20 kB', `X-A: ${'x'.repeat(20_000)}\r\n`, '/healthz', 'at most 16384 bytes'],
    ['101 headers', Array.from({ length: 99 }, (_, n) => `X-${n}: 1\r\n`).join(''), '/healthz', 'at most 100 headers'],
  ])('%s is a 431', async (_what, headers, path, reason) => {
    const { statuses, body } = readAnswers(await get(headers, path));
    expect(statuses).toEqual([431]);
    expect(JSON.parse(body)).toMatchObject({ code: 'HEADERS_TOO_LARGE', detail: expect.stringContaining(reason) });
  });

  test('100 headers are none too many, and an id of 101 characters is no address', async () => {
    const headers = Array.from({ length: 98 }, (_, n) => `X-${n}: 1\r\n`).join('');
    expect(readAnswers(await get(headers)).statuses).toEqual([200]);
    expect((await house.call(`/v1/jobs/${'x'.repeat(101)}`)).status).toBe(404);
  });

  test('one that does not come to its end is a 408', async () => {
    const app = Fastify({
      http: { ...HTTP_OPTIONS, headersTimeout: 100, connectionsCheckingInterval: 20 },
      clientErrorHandler: refuseConnection,
    });
    const url = await app.listen({ port: 0 });
    const { statuses, body } = readAnswers(await sayRaw(url, 'GET / HTTP/1.1\r\nHost: x\r\n'));
    expect(statuses).toEqual([408]);
    expect(JSON.parse(body)).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    await app.close();
  });
});

describe('slow clients', () => {
  /** Sends the body of a chat in pieces, one each 50 ms, until it is whole or the server has had enough. */
  async function trickle(bytesAtOnce: number, body: string): Promise<string> {
    const socket = await dial(house.url);
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    socket.write(
      `POST ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${house.keys.user}\r\nPrefer: respond-async\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
    );
    let sent = 0;
    const timer = setInterval(() => {
      if (sent < body.length) socket.write(body.slice(sent, (sent += bytesAtOnce)));
    }, 50);
    await once(socket, 'close');
    clearInterval(timer);
    return heard;
  }

  test('a body that comes byte by byte is given up, one that comes slowly is not', async () => {
    const body = JSON.stringify({ ...CHAT, user: 'x'.repeat(4_000) });
    const [drops, stream] = await Promise.all([trickle(1, body), trickle(100, body)]);
    expect(drops).toBe('');
    expect(readAnswers(stream).statuses).toEqual([202]);
  });

  test('a client that does not read a file is left', async () => {
    const form = new FormData();
    form.set('purpose', 'user_data');
    form.set('file', new Blob([new Uint8Array(32 * MB)]), 'zeros');
    const file = (await (await house.call('/v1/files', { method: 'POST', body: form })).json()) as { id: string };
    const socket = await dial(house.url);
    socket.pause();
    socket.write(
      `GET /v1/files/${file.id}/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${house.keys.user}\r\n\r\n`,
    );
    const metric = async () => (await fetch(`${house.url}/metrics`)).text();
    await expect
      .poll(metric, { timeout: 10_000 })
      .toMatch(/_count\{.*route="\/v1\/files\/:id\/content",status="499".*\} 1/);
    socket.destroy();
  });

  test('what is made for a client that does not read is bounded, and ends; one that waits in silence is not left', async () => {
    const loggerInstance: FastifyBaseLogger = testLog;
    const app = Fastify({ loggerInstance });
    app.register(connectionLimits, { slowBodyMs: 300, slowReaderMs: 300 });
    let madeBytes = 0;
    const ended = Promise.withResolvers<void>();
    const spoken = Promise.withResolvers<void>();
    app.get('/events', (_request, reply) => {
      const events = async function* () {
        try {
          for (; ; madeBytes += 1_000) yield `data: ${'x'.repeat(992)}\n\n`;
        } finally {
          ended.resolve();
        }
      };
      void reply.type('text/event-stream').send(Readable.from(events()));
    });
    app.get('/silence', (_request, reply) => {
      const events = async function* () {
        yield 'data: first\n\n';
        await spoken.promise;
        yield 'data: last\n\n';
      };
      void reply.type('text/event-stream').send(Readable.from(events()));
    });
    const url = await app.listen({ port: 0 });
    const silence = await fetch(`${url}/silence`);
    const socket = await dial(url);
    socket.pause();
    socket.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
    await ended.promise;
    // What the system keeps for a connection, on both sides of it.
    expect(madeBytes).toBeLessThan(16 * MB);
    spoken.resolve();
    expect(await silence.text()).toBe('data: first\n\ndata: last\n\n');
    socket.destroy();
    await app.close();
  });
});
