import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIP, isIPv6 } from 'node:net';

/** The far side of the network: a name server on loopback. */
export interface FakeNameServer {
  /** As {@link import('./resolve-name.ts').NameResolverOptions} wants it. */
  address: string;
  close(): void;
}

const A = 1;
const CNAME = 5;
const AAAA = 28;
/** Points back to the name of the question. */
const SAME_NAME = [0xc0, 12];

/** It knows these names: their addresses, and other names that they stand for. About `silent-….test` it says nothing. */
export async function startFakeNameServer(known: Record<string, string[]>): Promise<FakeNameServer> {
  const server = createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const { name, type, question } = parseQuery(query);
    if (name.startsWith('silent-')) return;
    const all = known[name];
    const found = (all ?? []).filter((each) => isIP(each) === 0 || isIPv6(each) === (type === AAAA));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(all ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found.length, 6);
    let owner = SAME_NAME;
    const records = found.map((each) => {
      const record = toRecord(owner, each);
      if (isIP(each) === 0) owner = toLabels(each);
      return record;
    });
    server.send(Buffer.concat([header, question, ...records]), port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  return { address: `127.0.0.1:${server.address().port}`, close: () => void server.close() };
}

function parseQuery(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), question: query.subarray(12, at + 5) };
}

/** Of `owner` a record: an address, or a name that it stands for. */
function toRecord(owner: number[], value: string): Buffer {
  const type = isIP(value) === 0 ? CNAME : isIPv6(value) ? AAAA : A;
  const bytes = { [A]: ipv4Bytes, [AAAA]: ipv6Bytes, [CNAME]: toLabels }[type](value);
  return Buffer.from([...owner, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]);
}

function toLabels(name: string): number[] {
  return [...name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]), 0];
}

function ipv4Bytes(address: string): number[] {
  return address.split('.').map(Number);
}

/** Of addresses with one `::` in them. */
function ipv6Bytes(address: string): number[] {
  const [head = '', tail = ''] = address.split('::');
  const [before, after] = [head, tail].map((half) => half.split(':').filter(Boolean));
  const groups = [
    ...(before ?? []),
    ...Array(8 - (before?.length ?? 0) - (after?.length ?? 0)).fill('0'),
    ...(after ?? []),
  ];
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}
