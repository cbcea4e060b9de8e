import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNameResolver } from './resolve-name.ts';

const KNOWN: Record<string, string[]> = {
  'both.test': ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
  'six.test': ['2001:db8::2'],
};
const TYPES = { 1: 'A', 28: 'AAAA' } as const;

/** The far side of the network: a name server that knows a few names, and stays silent about `silent-….test`. */
let server: Socket;
let resolve: ReturnType<typeof createNameResolver>;
const serverOptions = () => ({ servers: [`127.0.0.1:${server.address().port}`] });
beforeAll(async () => {
  server = createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const { name, type, question } = parseQuery(query);
    if (name.startsWith('silent-')) return;
    const all = KNOWN[name];
    const found = (all ?? []).filter((each) => isIPv6(each) === (type === 'AAAA'));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(all ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found.length, 6);
    server.send(Buffer.concat([header, question, ...found.map(toRecord)]), port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  resolve = createNameResolver({ asksSystem: false, ...serverOptions() });
});
afterAll(() => server.close());

function parseQuery(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = TYPES[query.readUInt16BE(at + 1) as keyof typeof TYPES];
  return { name: labels.join('.'), type, question: query.subarray(12, at + 5) };
}

/** Points back to the name of the question, at byte 12. */
function toRecord(address: string): Buffer {
  const bytes = isIPv6(address)
    ? [0x20, 0x01, 0x0d, 0xb8, ...Buffer.alloc(11), Number(address.at(-1))]
    : address.split('.').map(Number);
  return Buffer.from([0xc0, 12, 0, bytes.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]);
}

test('every address of a name is given, of both families', async () => {
  expect(await resolve('both.test')).toEqual(KNOWN['both.test']);
  expect(await resolve('six.test')).toEqual(KNOWN['six.test']);
});

test('many names whose servers stay silent delay no other name', async () => {
  for (let i = 0; i < 64; i++) resolve(`silent-${i}.test`).catch(() => {});
  const began = performance.now();
  await resolve('both.test');
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('what only this machine knows is found where that is asked for', async () => {
  await expect(resolve('localhost')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  const asking = createNameResolver({ asksSystem: true, ...serverOptions() });
  expect(await asking('localhost')).toContain('127.0.0.1');
});
