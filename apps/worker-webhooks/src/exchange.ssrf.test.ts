import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer, isIP, type LookupFunction, type Server } from 'node:net';
import { callbackify } from 'node:util';
import { createReceiverRules } from '@aigolos/lifecycle';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ExchangeDeps, exchange } from './exchange.ts';

/** The addresses of a name at its first look-up, its second, …; the last ones stay. Only the look-up is not the real one. */
type Answers = string[][];
type Guard = (url: string, deps: ExchangeDeps) => Promise<unknown>;

/** Stands for a public address, and is one that the operator allows; nothing listens there. */
const PUBLIC = '127.9.9.9';
const rules = createReceiverRules([`${PUBLIC}/32`]);
const TIMEOUT_MS = 300;

/** Hosts that must not be reached, and what their name answers where they are names. `PORT` is the canary's. */
const VECTORS: Record<string, { host: string; answers?: Answers }> = {
  loopback: { host: '127.0.0.1' },
  'loopback, another of its addresses': { host: '127.8.8.8' },
  'loopback, short': { host: '127.1' },
  'loopback, decimal': { host: '2130706433' },
  'loopback, hexadecimal': { host: '0x7f000001' },
  'loopback, octal': { host: '0177.0.0.1' },
  'loopback, full-width digits': { host: '１２７.0.0.1' },
  'loopback, percent-encoded': { host: '%31%32%37.0.0.1' },
  'loopback, dot at the end': { host: '127.0.0.1.' },
  unspecified: { host: '0.0.0.0' },
  'unspecified, short': { host: '0' },
  'IPv6 loopback': { host: '[::1]' },
  'IPv6 loopback, long': { host: '[0:0:0:0:0:0:0:1]' },
  'IPv6 unspecified': { host: '[::]' },
  'IPv4-mapped': { host: '[::ffff:127.0.0.1]' },
  'IPv4-mapped, hexadecimal': { host: '[::ffff:7f00:1]' },
  'IPv4-compatible': { host: '[::127.0.0.1]' },
  'IPv4-translated': { host: '[::ffff:0:127.0.0.1]' },
  NAT64: { host: '[64:ff9b::7f00:1]' },
  'NAT64, local': { host: '[64:ff9b:1::7f00:1]' },
  '6to4': { host: '[2002:7f00:1::1]' },
  Teredo: { host: '[2001:0:4136:e378:8000:63bf:80ff:fffe]' },
  'link-local': { host: '[fe80::1]' },
  'unique local': { host: '[fd00:ec2::254]' },
  metadata: { host: '169.254.169.254' },
  'private, class A': { host: '10.0.0.1' },
  'private, class B': { host: '172.16.0.1' },
  'private, class C': { host: '192.168.0.1' },
  'shared by carriers': { host: '100.64.0.1' },
  multicast: { host: '224.0.0.1' },
  broadcast: { host: '255.255.255.255' },
  'the real localhost': { host: 'localhost' },
  'a name of loopback': { host: 'a.test', answers: [['127.0.0.1']] },
  'a name of IPv6 loopback': { host: 'b.test', answers: [['::1']] },
  'a name of a mapped address': { host: 'c.test', answers: [['::ffff:127.0.0.1']] },
  'a name of NAT64': { host: 'd.test', answers: [['64:ff9b::7f00:1']] },
  'public and private': { host: 'e.test', answers: [[PUBLIC, '127.0.0.1']] },
  'private and public': { host: 'f.test', answers: [['127.0.0.1', PUBLIC]] },
  'public first, then private': { host: 'g.test', answers: [[PUBLIC], ['127.0.0.1']] },
  'public twice, then private': { host: 'h.test', answers: [[PUBLIC], [PUBLIC], ['127.0.0.1']] },
  'public first, then IPv6 loopback': { host: 'i.test', answers: [[PUBLIC], ['::1']] },
  'public, then public and private': { host: 'j.test', answers: [[PUBLIC], ['127.0.0.1', PUBLIC]] },
};

let canaries: Server[];
let port: number;
let seen: number;
beforeAll(async () => {
  const listen = async (host: string, at: number) => {
    const server = createServer((socket) => {
      seen += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(at, host, resolve));
    return server;
  };
  const first = await listen('127.0.0.1', 0);
  ({ port } = first.address() as AddressInfo);
  canaries = [first, await listen('127.8.8.8', port), await listen('::1', port)];
});
afterAll(() => Promise.all(canaries.map((server) => new Promise((resolve) => server.close(resolve)))));
beforeEach(() => {
  seen = 0;
});

function resolver(answers: Answers | undefined): (hostname: string) => Promise<string[]> {
  let asked = 0;
  return async (hostname) => {
    if (answers) return answers[Math.min(asked++, answers.length - 1)] ?? [];
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  };
}

/** Does the canary see anything when this guard is asked to post there? */
async function reaches(guard: Guard, { host, answers }: { host: string; answers?: Answers }, scheme = 'https') {
  const deps = { rules, timeoutMs: TIMEOUT_MS, resolve: resolver(answers) };
  const before = seen;
  await guard(`${scheme}://${host}:${port}/`, deps).catch(() => {});
  return seen > before;
}

const guarded: Guard = (url, deps) => {
  return exchange({ url, headers: {}, body: '{}' }, deps, new AbortController().signal);
};

/** What many do: look, check, and then let the HTTP client look again. */
const checkThenFetch: Guard = async (url, { rules: { refusal }, resolve }) => {
  const { hostname } = new URL(url);
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = isIP(bare) === 0 ? await resolve(bare) : [bare];
  if (addresses.some((address) => refusal(address, 'https:'))) throw new Error('refused');
  const lookAgain: LookupFunction = (name, _options, callback) => {
    callbackify(resolve)(name, (error, again) => {
      callback(
        error,
        again.map((address) => ({ address, family: isIP(address) })),
      );
    });
  };
  const sending = request(url.replace('https:', 'http:'), { lookup: lookAgain, agent: false, timeout: TIMEOUT_MS });
  sending.on('timeout', () => sending.destroy()).end();
  await once(sending, 'close');
};

const refused = { outcome: 'failed', error: expect.stringContaining('may not be reached') };
const isSteady = ([, { answers = [] }]: [string, { answers?: Answers }]) => answers.length < 2;

test.concurrent.each(Object.entries(VECTORS).filter(isSteady))('%s is refused', async (_, { host, answers }) => {
  const deps = { rules, timeoutMs: TIMEOUT_MS, resolve: resolver(answers) };
  expect(await guarded(`https://${host}:${port}/`, deps)).toEqual(refused);
});

test('the canary sees nothing of all this, by https or by http', async () => {
  const reached: string[] = [];
  for (const scheme of ['https', 'http']) {
    for (const [name, vector] of Object.entries(VECTORS)) {
      if (await reaches(guarded, vector, scheme)) reached.push(`${name} by ${scheme}`);
    }
  }
  expect(reached).toEqual([]);
});

test('the same vectors catch a guard that checks first and looks the name up again to connect', async () => {
  const reached: string[] = [];
  for (const [name, vector] of Object.entries(VECTORS)) {
    if (await reaches(checkThenFetch, vector)) reached.push(name);
  }
  expect(reached).toEqual([
    'public first, then private',
    'public first, then IPv6 loopback',
    'public, then public and private',
  ]);
});

test('the canary sees what the operator has allowed', async () => {
  const allowing = createReceiverRules(['127.0.0.0/8', '::1/128']);
  for (const [host, answers] of [
    ['127.0.0.1'],
    ['[::1]'],
    ['[::ffff:127.0.0.1]'],
    ['a.test', [['127.0.0.1']]],
  ] as const) {
    const resolve = resolver(answers?.map((addresses) => [...addresses]));
    const before = seen;
    await guarded(`http://${host}:${port}/`, { rules: allowing, timeoutMs: TIMEOUT_MS, resolve });
    expect(seen).toBe(before + 1);
  }
});
