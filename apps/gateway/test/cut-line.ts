import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line to the database that can be cut in the moment between a request and its answer. */
export interface CutLine {
  port: number;
  /** The next request with this text in it arrives; its answer does not. */
  loseAnswerTo(text: string): void;
  close(): Promise<void>;
}

export async function openCutLine(targetPort: number): Promise<CutLine> {
  let fatal: Buffer | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    let answersAreLost = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      if (fatal && chunk.includes(fatal)) {
        fatal = undefined;
        answersAreLost = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (answersAreLost) client.destroy();
      else client.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    loseAnswerTo(text) {
      fatal = Buffer.from(text);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
