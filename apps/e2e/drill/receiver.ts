import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Journal } from './journal.ts';
import type { Random } from './random.ts';

export interface Receiver {
  url: string;
  close(): Promise<void>;
}

/** A receiver of webhooks that fails now and then: with a 500, by hanging up, or by answering only after it took a while. */
export async function startReceiver(journal: Journal, random: Random): Promise<Receiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const draw = random.next();
      const answered = draw < 0.15 ? '500' : draw < 0.2 ? 'hung up' : '200';
      const { type, data } = JSON.parse(body) as { type: string; data: { id: string } };
      journal.write({
        type: 'webhook',
        id: String(request.headers['webhook-id']),
        event: type,
        job: data.id,
        body,
        answered,
      });
      if (answered === 'hung up') response.destroy();
      else response.writeHead(Number(answered)).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
