import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface ReceivedRequest {
  url: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
}

export interface TestServer {
  /** With `/v1`. */
  baseUrl: string;
  requests: ReceivedRequest[];
  close(): Promise<void>;
}

/** A server on a free port that takes JSON; an error of `answer` cuts the connection. */
export async function startServer(
  answer: (request: ReceivedRequest, response: ServerResponse) => Promise<void>,
): Promise<TestServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((message, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    (async () => {
      const body = (await json(message)) as Record<string, unknown>;
      const request = { url: message.url ?? '', headers: message.headers, body, signal: gone.signal };
      requests.push(request);
      await answer(request, response);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Writes and waits where the client does not keep up. */
export async function write(response: ServerResponse, data: string | Uint8Array): Promise<void> {
  if (response.destroyed) throw new Error('the client is gone');
  if (!response.write(data)) {
    const { promise, resolve } = Promise.withResolvers<void>();
    response.once('drain', resolve).once('close', resolve);
    await promise;
  }
}
