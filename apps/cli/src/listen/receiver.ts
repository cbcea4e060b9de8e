import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebhookEvent, WebhookEventSchema } from '@aigolos/contracts';
import { messageOf } from '@aigolos/runtime';
import { Webhook } from 'standardwebhooks';
import { CliError } from '../cli-error.ts';

/** What arrived: an event that this installation has signed, or something else and why it is refused. */
export type Received = { event: WebhookEvent } | { refused: string };

export interface Receiver {
  /** Where it listens. */
  url: string;
  close(): Promise<void>;
}

export interface ReceiverOptions {
  /** 0 takes a free one. */
  port: number;
  /** `whsec_…`; what arrives before it is known waits for it. */
  secret: Promise<string>;
  onReceived: (received: Received) => void;
}

const HOST = '127.0.0.1';
const BODY_BYTES = 64 * 1024;

/**
 * A receiver of webhooks on this machine that verifies what arrives: 204 where it is genuine, 400 where it is not.
 * @throws CliError where the port is taken.
 */
export async function startReceiver({ port, secret, onReceived }: ReceiverOptions): Promise<Receiver> {
  const server = createServer((request, response) => {
    void receive(request, secret).then((received) => {
      onReceived(received);
      if ('event' in received) response.writeHead(204).end();
      else response.writeHead(400, { 'content-type': 'text/plain', connection: 'close' }).end(`${received.refused}\n`);
    });
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    const taken = `Port ${port} is taken by another program: choose another with --port, or a free one with --port 0.`;
    listening.reject(error.code === 'EADDRINUSE' ? new CliError(taken) : error);
  });
  server.listen(port, HOST, listening.resolve);
  await listening.promise;
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function receive(request: IncomingMessage, secret: Promise<string>): Promise<Received> {
  try {
    const body = await bodyOf(request);
    // The signature is over the very bytes that were sent: they are verified before they are parsed.
    const verified = new Webhook(await secret).verify(body, request.headers as Record<string, string>);
    const parsed = WebhookEventSchema.safeParse(verified);
    return parsed.success ? { event: parsed.data } : { refused: 'it is signed, but no event of AIGolos' };
  } catch (error) {
    return { refused: messageOf(error) };
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES) throw new CliError(`it has more than ${BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
