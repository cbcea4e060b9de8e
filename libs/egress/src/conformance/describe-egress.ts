import { once } from 'node:events';
import { createServer, setGlobalProxyFromEnv } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createEgress, type Egress } from '../egress.ts';
import { createEgressRules } from '../egress-rules.ts';
import { type Canaries, resolverOf, startCanaries } from './canaries.ts';
import { OUTSIDE, VECTORS, type Vector } from './vectors.ts';

/** Sends a request to the URL by way of an egress, and reads its answer. What it gives or throws is its own affair. */
export type Caller = (url: string, egress: Egress) => Promise<unknown>;

const rules = createEgressRules({ networks: [`${OUTSIDE}/32`] });

/** What whoever sends requests to addresses that others have chosen promises: none of the known ways leads inside. */
export function describeEgress(name: string, call: Caller): void {
  describe(`${name}, led by what others have chosen`, () => {
    let canaries: Canaries;
    beforeAll(async () => {
      canaries = await startCanaries();
    });
    afterAll(() => canaries.close());

    test.each(VECTORS)('$url goes nowhere inside ($origin)', async (vector) => {
      await call(canaries.urlOf(vector), createEgress(rules, resolverOf(vector))).catch(() => {});
      expect(canaries.heard()).toBe(0);
    });

    test('the canaries hear what is allowed', async () => {
      const all = createEgressRules({ networks: ['127.0.0.0/8', '::1/128'] });
      const local: Vector[] = [
        { origin: '', url: 'http://127.0.0.1:PORT/' },
        { origin: '', url: 'http://[::1]:PORT/' },
        { origin: '', url: 'http://[::ffff:127.0.0.1]:PORT/' },
        { origin: '', url: 'http://local.test:PORT/', answers: [['127.0.0.1']] },
      ];
      const before = canaries.heard();
      for (const vector of local) {
        await call(canaries.urlOf(vector), createEgress(all, resolverOf(vector))).catch(() => {});
      }
      expect(canaries.heard() - before).toBe(local.length);
    });
  });

  describe(`${name}, on its connections`, () => {
    test('keeps no connection: each request asks for the addresses anew, and is refused when they have changed', async () => {
      const { url, sockets, requests } = await startOutside();
      const answers = [[OUTSIDE], [OUTSIDE], ['127.0.0.1']];
      const egress = createEgress(rules, resolverOf({ answers }));
      for (const _ of answers) await call(url, egress).catch(() => {});
      expect({ sockets: sockets.size, requests: requests.length }).toEqual({ sockets: 2, requests: 2 });
    });

    test('asks no proxy, whatever the environment says', async () => {
      const proxy = await startOutside();
      const { url, requests } = await startOutside();
      const restore = setGlobalProxyFromEnv({ http_proxy: proxy.origin, https_proxy: proxy.origin });
      onTestFinished(restore);
      await call(url, createEgress(rules, resolverOf({ answers: [[OUTSIDE]] }))).catch(() => {});
      expect([proxy.sockets.size, requests.length]).toEqual([0, 1]);
    });
  });
}

/** A server outside that keeps its connections open. */
async function startOutside() {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    requests.push(request.url ?? '');
    response.end('{}');
  });
  server.on('connection', (socket) => void sockets.add(socket));
  server.listen(0, OUTSIDE);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://outside.test:${port}/`, origin: `http://${OUTSIDE}:${port}`, sockets, requests };
}
