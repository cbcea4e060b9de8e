import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { JobView } from '@aigolos/contracts';
import { type Client, createClient } from '../src/index.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A service whose answers, one a request, are the test's. */
export interface Service {
  url: string;
  client: Client;
  /** What was asked, as `GET /v1/jobs`. */
  asked: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export async function serve(...answers: Answer[]): Promise<Service> {
  const asked: string[] = [];
  const left = [...answers];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const answer = left.shift() ?? problem(500, { detail: 'The test has no answer for this.' });
    void answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    client: createClient({ baseUrl: `${url}/v1/`, apiKey: 'sk-test' }),
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers when the whole request is there. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return async (request, response) => {
    await buffer(request);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

export function problem(status: number, body: Record<string, unknown>, headers: Record<string, string> = {}): Answer {
  return json(status, { status, ...body }, { 'content-type': 'application/problem+json', ...headers });
}

export const cut: Answer = (request) => request.socket.destroy();

export function job(fields: Partial<JobView> = {}): JobView {
  const ended = fields.status === undefined || fields.status === 'queued' || fields.status === 'in_progress';
  return { id: 'trn_1', status: 'queued', progress: 0, finished_at: ended ? null : 1, ...fields } as JobView;
}

/** An address where nobody listens. */
export async function nobodyAt(): Promise<string> {
  await using service = await serve();
  return service.url;
}
