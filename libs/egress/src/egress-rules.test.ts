import { describe, expect, test } from 'vitest';
import { createEgressRules, type EgressPolicy } from './egress-rules.ts';

const PUBLIC = [
  '8.8.8.8',
  '1.1.1.1',
  '172.15.0.1',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700:4700::1111',
  '::ffff:8.8.8.8',
];
const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  'fd00:ec2::254',
  '168.63.129.16',
  '100.100.100.200',
  '::ffff:168.63.129.16',
];
const NOT_PUBLIC = {
  'metadata services': METADATA,
  'of ISATAP': ['2600:1::5efe:7f00:1', '2600:1::200:5efe:a00:1'],
  unspecified: ['0.0.0.0', '0.1.2.3', '::'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
  'link-local and metadata': ['169.254.1.1', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254'],
  'shared by carriers': ['100.64.0.1', '100.127.255.255'],
  'IPv4-mapped, in each spelling': ['::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:10.0.0.1', '0:0:0:0:0:ffff:a9fe:a9fe'],
  'IPv4-compatible and translated': ['::127.0.0.1', '::8.8.8.8', '::7f00:1', '::ffff:0:127.0.0.1'],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::a00:1', '64:ff9b:1:ffff::1'],
  '6to4 and Teredo': ['2002:7f00:1::1', '2001::1', '2001:0:4136:e378::1', '192.88.99.1'],
  'benchmark and documentation': [
    '198.18.0.1',
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '2001:db8::1',
    '3fff::1',
    '2001:2::1',
  ],
  'multicast and broadcast': ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1', '255.255.255.255'],
  'reserved or not given out': ['240.0.0.1', '192.0.0.1', '100::1', '100:0:0:1::1', '4000::1', '5f00::1', '2001:20::1'],
  'no address at all': ['', 'example.com', '127.1', '0x7f.0.0.1', '010.0.0.1', '2130706433', '1.2.3.4.5', '::gggg'],
};

const https = new URL('https://example.com/');
const http = new URL('http://example.com/');

/** Of a machine that has a public address. */
const rulesOf = (policy: EgressPolicy = {}) => createEgressRules(policy, () => ['127.0.0.1', '198.41.0.4']);

describe('addresses', () => {
  const rules = rulesOf();

  test.each(PUBLIC)('%s is public', (address) => {
    expect(rules.addressRefusal(https, address)).toBeUndefined();
    expect(rules.addressRefusal(http, address)).toMatch('only https');
  });

  test.each(Object.entries(NOT_PUBLIC))('%s is refused', (_, addresses) => {
    expect(addresses.filter((address) => rules.addressRefusal(https, address) === undefined)).toEqual([]);
  });

  test('the operator’s networks are allowed, by http too, in each spelling of their addresses, and no others', () => {
    const own = rulesOf({ networks: ['10.1.0.0/16', 'fd00::/8'] });
    const allowed = ['10.1.2.3', '::ffff:10.1.2.3', '::ffff:a01:203', '0:0:0:0:0:ffff:10.1.2.3', 'fd12::1'];
    for (const address of allowed) expect(own.addressRefusal(http, address)).toBeUndefined();
    const others = ['10.2.0.1', '127.0.0.1', 'fc00::1', '64:ff9b::a01:203', '::10.1.2.3'];
    for (const address of others) expect(own.addressRefusal(https, address)).toBeDefined();
  });

  test('a network that is allowed does not open the metadata service in it; its own address does', () => {
    const wide = rulesOf({ networks: ['0.0.0.0/0', '::/0'] });
    for (const address of METADATA) expect(wide.addressRefusal(https, address)).toMatch('metadata');
    const exact = rulesOf({ networks: ['169.254.169.254/32', 'fd00:ec2::254/128'] });
    for (const address of ['169.254.169.254', 'fd00:ec2::254'])
      expect(exact.addressRefusal(http, address)).toBeUndefined();
  });

  test('this machine’s own public address is none, unless the operator says so', () => {
    expect(rules.addressRefusal(https, '198.41.0.4')).toMatch('of this machine');
    expect(rules.addressRefusal(https, '::ffff:198.41.0.4')).toMatch('of this machine');
    expect(rulesOf({ networks: ['198.41.0.4/32'] }).addressRefusal(https, '198.41.0.4')).toBeUndefined();
  });

  test('a host that the operator names may be internal; others may not, and it cannot be what no name stands for', () => {
    const named = rulesOf({ hosts: ['example.com', '*.corp.example', '::1'] });
    const refusal = (url: string, address: string) => named.addressRefusal(new URL(url), address);
    for (const url of ['http://example.com/', 'https://EXAMPLE.com./', 'http://a.b.corp.example/', 'http://[::1]/']) {
      for (const address of ['10.0.0.1', '127.0.0.1', 'fd12::1', '100.64.0.1'])
        expect(refusal(url, address)).toBeUndefined();
    }
    for (const url of ['https://corp.example/', 'https://evil-example.com/', 'https://example.com.evil.test/']) {
      expect(refusal(url, '10.0.0.1')).toMatch('not an address of the public internet');
    }
    for (const address of [...METADATA, '0.0.0.0', '169.254.1.1', 'fe80::1', '224.0.0.1', '64:ff9b::7f00:1']) {
      expect(refusal('https://example.com/', address)).toBeDefined();
    }
  });
});

describe('URLs', () => {
  const rules = rulesOf();
  const own = rulesOf({ networks: ['127.0.0.0/8'] });

  test.each(['https://example.com/hook', 'https://example.com:8443/a?b=c', 'https://8.8.8.8/'])(
    '%s is taken',
    (url) => {
      expect(rules.urlRefusal(new URL(url))).toBeUndefined();
    },
  );

  test.each([
    ['http://example.com/', 'must begin with https://'],
    ['ftp://example.com/', 'must be an https:// URL'],
    ['file:///etc/passwd', 'must be an https:// URL'],
    ['https://me:pass@example.com/', 'must hold no user name or password'],
    ['https://example.com:22/', 'must not have the port 22'],
    ['https://127.0.0.1/', 'not an address of the public internet'],
    ['https://0x7f.1/', 'not an address of the public internet'],
    ['https://2130706433/', 'not an address of the public internet'],
    ['https://[::ffff:10.0.0.1]/', 'not an address of the public internet'],
    ['https://169.254.169.254/', 'metadata'],
    ['https://localhost:3000/', 'not an address of the public internet'],
    ['https://api.localhost./', 'not an address of the public internet'],
    ['http://8.8.8.8/', 'only https goes to the public internet'],
  ])('%s is refused early, with what would be right', (url, reason) => {
    expect(rules.urlRefusal(new URL(url))).toMatch(reason);
  });

  test('loopback works where the operator allows it', () => {
    for (const url of ['http://127.0.0.1:3000/', 'http://localhost:3000/', 'https://127.0.0.1/']) {
      expect(own.urlRefusal(new URL(url))).toBeUndefined();
    }
    expect(own.urlRefusal(new URL('http://[::1]/'))).toMatch('not in a network that this installation allows');
  });

  test('the ports are those that the operator allows', () => {
    const narrow = rulesOf({ ports: ['443', '8000-8099'] });
    for (const port of ['', ':8000', ':8099'])
      expect(narrow.urlRefusal(new URL(`https://a.test${port}/`))).toBeUndefined();
    for (const port of [':80', ':444', ':8100', ':0']) {
      expect(narrow.urlRefusal(new URL(`https://a.test${port}/`))).toMatch('must not have the port');
    }
  });
});
