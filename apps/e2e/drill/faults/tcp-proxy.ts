import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Random } from '../random.ts';

/** A TCP proxy on loopback whose connections can be cut or held. */
export interface TcpProxy {
  port: number;
  /** Resets this part of the connections that are open; tells how many. */
  cut(random: Random, part: number): number;
  /** Nothing gets through, and nothing is refused, until `release`. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  server: Socket;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let isHeld = false;

  const join = ({ client, server }: Pair) => {
    client.pipe(server);
    server.pipe(client);
  };
  const part = ({ client, server }: Pair) => {
    client.unpipe(server).pause();
    server.unpipe(client).pause();
  };
  const end = (pair: Pair) => {
    pairs.delete(pair);
    for (const socket of [pair.client, pair.server]) {
      // A reset after a shutdown leaves a handle that never closes, and the process never ends (libuv).
      if (socket.connecting || socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  };

  const listener = createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
    const server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    const pair = { client, server };
    pairs.add(pair);
    for (const socket of [client, server]) {
      socket.on('error', () => end(pair));
      socket.on('close', () => {
        pairs.delete(pair);
        (socket === client ? server : client).destroySoon();
      });
    }
    if (!isHeld) join(pair);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  return {
    port: (listener.address() as AddressInfo).port,
    cut(random, fraction) {
      const chosen = [...pairs].filter(() => random.chance(fraction));
      for (const pair of chosen) end(pair);
      return chosen.length;
    },
    hold() {
      isHeld = true;
      for (const pair of pairs) part(pair);
    },
    release() {
      isHeld = false;
      for (const pair of pairs) join(pair);
    },
    async close() {
      for (const pair of pairs) end(pair);
      listener.close();
      await once(listener, 'close');
    },
  };
}
