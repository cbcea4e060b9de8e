import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

export interface Received {
  id: string;
  at: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface TestReceiver {
  url: string;
  received: Received[];
  /** Of these the ids. */
  ids: Set<string>;
  /** Calls that are being answered, and the most there were at once. */
  open: number;
  mostOpen: number;
}

/** What becomes of a call; the default is 204. */
export type Behaviour = (response: ServerResponse, received: Received) => void;

/** Receivers on loopback that end with each test. */
export function useReceivers(): { start(behave?: Behaviour): Promise<TestReceiver> } {
  let servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    servers = [];
  });
  return {
    async start(behave = (response) => response.writeHead(204).end()) {
      const receiver: TestReceiver = { url: '', received: [], ids: new Set(), open: 0, mostOpen: 0 };
      const server = createServer((request, response) => {
        receiver.mostOpen = Math.max(receiver.mostOpen, ++receiver.open);
        response.on('close', () => receiver.open--);
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const { headers } = request;
          const body = Buffer.concat(chunks).toString();
          const received = { id: String(headers['webhook-id']), at: Date.now(), headers, body };
          receiver.received.push(received);
          receiver.ids.add(received.id);
          behave(response, received);
        });
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
      return receiver;
    },
  };
}
