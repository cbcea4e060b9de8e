import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { HostileRequest } from './hostile-request.ts';

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Sends requests as they are written: neither addresses nor headers are put in order first. */
export function createSender(
  url: string,
  key: string,
): { send(hostile: HostileRequest): Promise<Answer>; close(): void } {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(url);
  return {
    async send({ method, path, headers, body }) {
      const sent = request({
        agent,
        host: hostname,
        port,
        method,
        path,
        headers: {
          authorization: `Bearer ${key}`,
          ...headers,
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        },
      });
      sent.end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      const { statusCode: status = 0, headers: answered } = response;
      if (answered['content-type']?.startsWith('text/event-stream')) {
        response.destroy();
        return { status, headers: answered, body: '' };
      }
      return { status, headers: answered, body: await text(response) };
    },
    close: () => agent.destroy(),
  };
}
