import { once } from 'node:events';
import { setGlobalProxyFromEnv } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { createEgressFetch, createNamedHostFetch } from '@aigolos/egress';
import { describeEgress } from '@aigolos/egress/conformance';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sendJson, startServer } from '../../test/http-server.ts';
import { createUpstreamClient, upstreamFailure } from './upstream.ts';

type Client = Awaited<ReturnType<typeof createUpstreamClient>>;

const ask = (client: Client) =>
  client.chat.completions.create({ model: 'theirs', messages: [{ role: 'user', content: 'Hello' }] });

describeEgress('a remote engine', async (url, egress) => {
  await ask(await createUpstreamClient({ baseUrl: url }, createEgressFetch(egress)));
});

describe('a remote engine, by a name that the operator has chosen', () => {
  const clientAt = (baseUrl: string, ...answers: string[][]) => {
    const resolve = async () => answers.shift() ?? [];
    return createUpstreamClient({ baseUrl }, createNamedHostFetch(baseUrl, { resolve }));
  };
  const serve = async () => {
    const server = await startServer(async (_, response) => sendJson(response, 200, { choices: [] }));
    onTestFinished(() => server.close());
    return { ...server, port: new URL(server.baseUrl).port };
  };

  test('is asked where the name leads inside, and looked up for each request', async () => {
    const { requests, port } = await serve();
    const client = await clientAt(`http://gpu-1:${port}/v1`, ['127.0.0.1'], ['127.0.0.1']);
    await ask(client);
    await ask(client);
    expect(requests).toHaveLength(2);
  });

  test.each([
    ['169.254.169.254', "it is a cloud's metadata service"],
    ['fd00:ec2::254', "it is a cloud's metadata service"],
    ['169.254.1.1', 'it is not an address of the public internet'],
    ['64:ff9b::a9fe:a9fe', 'it is not an address of the public internet'],
  ])('is not asked where the name has come to lead to %s, though good ones stand beside it', async (address, why) => {
    const { requests, port } = await serve();
    const client = await clientAt(`http://gpu-1:${port}/v1`, ['127.0.0.1'], ['127.0.0.1', address]);
    await ask(client);
    const error = await ask(client).catch((reason: unknown) => reason);
    expect(await upstreamFailure(error)).toEqual({
      kind: 'rejected',
      message: `The upstream server cannot be reached: ${why}.`,
      code: undefined,
    });
    expect(requests).toHaveLength(1);
  });

  test('is asked through a proxy where the operator says so', async () => {
    const asked: string[] = [];
    const proxy = createServer((socket) => {
      socket.once('data', (head) => {
        asked.push(String(head).split('\r\n', 1)[0] ?? '');
        socket.end('HTTP/1.1 503 Away\r\ncontent-length: 0\r\n\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => void proxy.close());
    onTestFinished(setGlobalProxyFromEnv({ http_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` }));
    const client = await createUpstreamClient({ baseUrl: 'http://gpu.test:8000/v1', viaProxy: true });
    await expect(ask(client)).rejects.toThrow('Connection error');
    expect(asked).toEqual([expect.stringContaining('gpu.test:8000')]);
  });
});
