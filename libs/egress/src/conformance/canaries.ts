import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { OUTSIDE, type Vector } from './vectors.ts';

/** Listeners on loopback that must hear nothing, and a server outside that sends those who ask it to them. */
export interface Canaries {
  /** Connections that came. */
  heard(): number;
  /** A vector's URL, with their ports in it. */
  urlOf(vector: Vector): string;
  close(): Promise<void>;
}

export async function startCanaries(): Promise<Canaries> {
  let heard = 0;
  const canary = () =>
    createServer((socket) => {
      heard += 1;
      socket.destroy();
    });
  const first = await listen(canary(), '127.0.0.1', 0);
  const { port } = first.address() as AddressInfo;
  const others = [await listen(canary(), '127.8.8.8', port), await listen(canary(), '::1', port)];
  const withPorts = (text: string) => text.replaceAll('PORT', String(port)).replaceAll('HOP', String(hopPort()));
  const hop = createHttpServer((request, response) => {
    const [, status, target = ''] = /^\/(\d+)[^?]*\?(.*)$/.exec(request.url ?? '') ?? [];
    response.writeHead(Number(status), { location: withPorts(decodeURIComponent(target)) }).end();
  });
  const hopPort = () => (hop.address() as AddressInfo).port;
  await listen(hop, OUTSIDE, 0);
  return {
    heard: () => heard,
    urlOf: ({ url }) => withPorts(url),
    async close() {
      hop.closeAllConnections();
      await Promise.all([first, ...others, hop].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function listen<Listener extends Server>(server: Listener, host: string, port: number): Promise<Listener> {
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

/** Answers as a vector says; of other names it knows localhost alone, so that no question leaves the machine. */
export function resolverOf({ answers }: Pick<Vector, 'answers'>): (hostname: string) => Promise<string[]> {
  let asked = 0;
  return async (hostname) => {
    if (answers) return answers[Math.min(asked++, answers.length - 1)] ?? [];
    if (!/localhost\.?$/.test(hostname)) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  };
}
