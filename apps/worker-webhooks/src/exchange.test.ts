import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEgress, createEgressRules } from '@aigolos/egress';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useReceivers } from '../test/receiver.ts';
import { type Exchanged, exchange } from './exchange.ts';

const receivers = useReceivers();
const rules = createEgressRules({ networks: ['127.0.0.0/8'] });
const post = (
  url: string,
  { timeoutMs = 2_000, resolve = async () => ['127.0.0.1'], signal = new AbortController().signal } = {},
) => {
  const outgoing = { url, headers: { 'webhook-id': 'evt_1' }, body: '{"ä":1}' };
  return exchange(outgoing, { egress: createEgress(rules, resolve), timeoutMs }, signal);
};

test('posts the body as it is to the address that was looked up, with the name as Host', async () => {
  const receiver = await receivers.start();
  const { port } = new URL(receiver.url);
  expect(await post(`http://hooks.test:${port}/a?b=c`)).toEqual({ outcome: 'answered', status: 204 });
  expect(receiver.received[0]).toMatchObject({ id: 'evt_1', body: '{"ä":1}' });
  expect(receiver.received[0]?.headers).toMatchObject({ host: `hooks.test:${port}`, 'content-length': '8' });
});

test('what may not be reached is a failure that repeats no address', async () => {
  const resolve = async () => ['10.1.2.3'];
  expect(await post('https://hooks.test/', { resolve })).toEqual({
    outcome: 'failed',
    error: "the receiver's URL cannot be reached: it is not an address of the public internet",
  });
});

test('a redirect is an answer; where it points nobody is called', async () => {
  const target = await receivers.start();
  const receiver = await receivers.start((response) => response.writeHead(307, { location: target.url }).end());
  expect(await post(receiver.url)).toEqual({ outcome: 'answered', status: 307 });
  expect(target.received).toEqual([]);
});

test('Retry-After is told', async () => {
  const receiver = await receivers.start((response) => response.writeHead(503, { 'retry-after': '7' }).end());
  expect(await post(receiver.url)).toEqual({ outcome: 'answered', status: 503, retryAfter: '7' });
});

describe('the budget', () => {
  const failsAfter = async (sending: Promise<Exchanged>) => {
    const began = performance.now();
    const result = await sending;
    expect(performance.now() - began).toBeLessThan(1_500);
    return result;
  };
  const late = { outcome: 'failed', error: 'there was no complete answer within 300 ms' };

  test('ends a receiver that never answers', async () => {
    const receiver = await receivers.start(() => {});
    expect(await failsAfter(post(receiver.url, { timeoutMs: 300 }))).toEqual(late);
  });

  test('ends one that answers drop by drop, though each drop is in time', async () => {
    const receiver = await receivers.start((response) => {
      const drip = setInterval(() => response.write('.'), 50);
      response.on('close', () => clearInterval(drip));
    });
    expect(await failsAfter(post(receiver.url, { timeoutMs: 300 }))).toEqual(late);
  });

  test('ends a look-up that takes too long', async () => {
    const resolve = () => sleep(5_000, ['127.0.0.1'], { ref: false });
    expect(await failsAfter(post('http://hooks.test/', { timeoutMs: 300, resolve }))).toEqual(late);
  });
});

test('of an endless answer 64 KB are read, and its status counts', async () => {
  let written = 0;
  const receiver = await receivers.start((response) => {
    response.writeHead(200);
    const flood = () => {
      while (!response.destroyed && response.write('x'.repeat(16_384))) written += 16_384;
    };
    response.on('drain', flood);
    flood();
  });
  expect(await post(receiver.url)).toEqual({ outcome: 'answered', status: 200 });
  expect(written).toBeLessThan(16 * 1024 * 1024);
});

test('what breaks off is a failure with its code alone', async () => {
  const receiver = await receivers.start((response) => response.socket?.resetAndDestroy());
  expect(await post(receiver.url)).toEqual({ outcome: 'failed', error: 'the connection failed (ECONNRESET)' });
  const midway = await receivers.start((response) => {
    response.writeHead(200, { 'content-length': '10' }).write('half');
    response.socket?.destroySoon();
  });
  expect(await post(midway.url)).toMatchObject({ outcome: 'failed' });
  const resolve = async () => {
    throw Object.assign(new Error('getaddrinfo ENOTFOUND secret.internal'), { code: 'ENOTFOUND' });
  };
  expect(await post('http://secret.internal/', { resolve })).toEqual({
    outcome: 'failed',
    error: 'the connection failed (ENOTFOUND)',
  });
});

test('a receiver that switches to another protocol, or says only that it goes on, is a failure, and holds up nothing', async () => {
  for (const head of ['101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade', '100 Continue']) {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.write(`HTTP/1.1 ${head}\r\n\r\n`));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await post(`http://127.0.0.1:${port}/`, { timeoutMs: 300 })).toMatchObject({ outcome: 'failed' });
  }
});

test('what speaks no HTTP is a failure, and what speaks no TLS', async () => {
  const server = createTcpServer((socket) => socket.end('hello\r\n')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  for (const scheme of ['http', 'https']) {
    expect(await post(`${scheme}://127.0.0.1:${port}/`)).toMatchObject({
      outcome: 'failed',
      error: expect.stringMatching(/^the connection failed/),
    });
  }
  server.close();
});

test('the caller can break it off', async () => {
  const stopping = new AbortController();
  const receiver = await receivers.start(() => stopping.abort());
  expect(await post(receiver.url, { signal: stopping.signal })).toEqual({ outcome: 'stopped' });
  expect(await post(receiver.url, { signal: stopping.signal })).toEqual({ outcome: 'stopped' });
  expect(receiver.received).toHaveLength(1);
});
