/** A way in which people have been led into their own network. */
export interface Vector {
  /** Where it is from. */
  origin: string;
  /** `PORT` stands for the canaries', `HOP` for that of a server, at {@link OUTSIDE}, which sends elsewhere. */
  url: string;
  /** What the name in it answers at its first look-up, its second, …; the last answer stays. */
  answers?: string[][];
  /** It is no way in for those who read URLs as they are meant, so nothing is refused. */
  leadsElsewhere?: true;
  /** A guard that checks first, and then lets a client fetch, is fooled by it. */
  foolsCheckThenFetch?: true;
}

/** Stands for an address of the public internet. */
export const OUTSIDE = '127.9.9.9';

const WHATWG = 'URL standard, the forms of IPv4 hosts';
const PAYLOADS = 'PayloadsAllTheThings, SSRF';
const KAOUDIS = 'Kaoudis, SickCodes: Rotten code, aging standards (DEF CON 29)';
const TSAI = 'Tsai: A new era of SSRF (Black Hat 2017)';
const BIRCH = 'Birch: HostSplit (Black Hat 2019)';
const JACKSON = 'Jackson et al.: Protecting browsers from DNS rebinding (2007)';
const IANA_4 = 'IANA, special IPv4 addresses';
const IANA_6 = 'IANA, special IPv6 addresses';
const MANUALS = 'the manual of the cloud';
const FETCH_PORTS = 'Fetch standard, bad ports';

const at = (origin: string, ...hosts: string[]) => hosts.map((host): Vector => ({ origin, url: `//${host}:PORT/` }));
const named = (origin: string, host: string, ...answers: string[][]): Vector => {
  return { origin, url: `//${host}:PORT/`, answers };
};
const plain = (origin: string, ...urls: string[]) => urls.map((url): Vector => ({ origin, url }));
const sentTo = (origin: string, location: string, status = 302): Vector => {
  const url = `http://${OUTSIDE}:HOP/${status}?${encodeURIComponent(location)}`;
  const isFollowed = !/^(gopher|file):/.test(location);
  return { origin, url, leadsElsewhere: true, ...(isFollowed && { foolsCheckThenFetch: true }) };
};

const SPELLINGS: Vector[] = [
  ...at(IANA_4, '127.0.0.1', '127.8.8.8', '0.0.0.0'),
  ...at(
    WHATWG,
    '127.1',
    '127.0.1',
    '0',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.0.0.1.',
    '0x7F.0.0x1',
  ),
  ...at('CVE-2024-29415, the package ip', '0177.1', '017700000001', '[000:0:0000::01]'),
  ...at('CVE-2023-42282, the package ip', '0x7f.1'),
  ...at('CVE-2021-28918, the package netmask', '0177.0.0.01', '00000177.0.0.1'),
  ...at('CVE-2020-28360, the package private-ip', '0x7f.0x0.0x0.0x1', '0000.0000.0000.0000'),
  ...at('CVE-2024-24806, libuv cuts long hosts', `0x${'0'.repeat(250)}7f000001`),
  ...at(KAOUDIS, '0300.0250.0.1', '012.0.0.1'),
  ...at(PAYLOADS, '2852039166', '0251.0376.0251.0376', '0xa9fea9fe', '%31%32%37.0.0.1', '①②⑦.0.0.1'),
  ...at(BIRCH, '１２７.0.0.1', '127。0。0。1', '127．0．0．1', '127｡0｡0｡1', '𝟏𝟐𝟕.0.0.1', '127.0.0.\u00ad1'),
  ...at(BIRCH, 'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ', 'l\u00adocalhost', 'ＬＯＣＡＬＨＯＳＴ'),
  ...at('RFC 6761, localhost', 'localhost', 'localhost.', 'LOCALHOST', 'any.localhost', 'any.localhost.'),
];

const IPV6: Vector[] = [
  ...at(
    IANA_6,
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::]',
    '[fe80::1]',
    '[fd12:3456::1]',
    '[fec0::1]',
    '[ff02::1]',
    '[100::1]',
  ),
  ...at('RFC 4291, IPv4-mapped', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]'),
  ...at('RFC 4291, IPv4-compatible', '[::127.0.0.1]', '[::7f00:1]'),
  ...at('RFC 2765, IPv4-translated', '[::ffff:0:127.0.0.1]'),
  ...at('RFC 6052, NAT64', '[64:ff9b::7f00:1]', '[64:ff9b::169.254.169.254]'),
  ...at('RFC 8215, NAT64 for local use', '[64:ff9b:1::7f00:1]', '[64:ff9b:1:ffff::a00:1]'),
  ...at('RFC 3056, 6to4', '[2002:7f00:1::1]', '[2002:a9fe:a9fe::1]'),
  ...at('RFC 4380, Teredo', '[2001:0:4136:e378:8000:63bf:80ff:fffe]'),
  ...at('RFC 5214, ISATAP', '[2600:1:2:3:0:5efe:7f00:1]', '[2600:1:2:3:200:5efe:a00:1]'),
  ...at('RFC 3849 and RFC 9637, documentation', '[2001:db8::1]', '[3fff::1]'),
  ...at('RFC 6874, zones in URLs', '[fe80::1%25lo]', '[fe80::1%lo]', '[::1%25lo]'),
];

const RANGES: Vector[] = [
  ...at(IANA_4, '10.0.0.1', '172.16.0.1', '172.31.255.254', '192.168.0.1', '100.64.0.1', '0.1.2.3', '192.0.0.1'),
  ...at(IANA_4, '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'),
  ...at(
    MANUALS,
    '169.254.169.254',
    '169.254.170.2',
    '[fd00:ec2::254]',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
  ),
];

const PARSERS: Vector[] = [
  ...plain(TSAI, `//${OUTSIDE}@127.0.0.1:PORT/`, `//127.0.0.1:PORT\\@${OUTSIDE}/`, `//127.0.0.1:PORT@${OUTSIDE}/`),
  ...plain(TSAI, `//x:y@127.0.0.1:PORT#@${OUTSIDE}/`, `//${OUTSIDE} &@127.0.0.1:PORT# @${OUTSIDE}/`),
  ...plain(TSAI, `//127.0.0.1:PORT:\\@@${OUTSIDE}/`, '//127.0.0.1\t:PORT/', '//127.0.0.1:PORT/\r\nHost: outside'),
  ...plain(TSAI, '//127.0.0.1%00.outside.test:PORT/', '//127.0.0.1%23.outside.test:PORT/', '//127.0.0.1:PORT%20/'),
  { origin: TSAI, url: `//${OUTSIDE}\\@127.0.0.1:PORT/`, leadsElsewhere: true },
  { origin: TSAI, url: `//${OUTSIDE}#@127.0.0.1:PORT/`, leadsElsewhere: true },
  { origin: TSAI, url: `//${OUTSIDE}?@127.0.0.1:PORT/`, leadsElsewhere: true },
  ...plain('URL standard, slashes', 'http:127.0.0.1:PORT/', 'http:///127.0.0.1:PORT/', 'http:\\\\127.0.0.1:PORT\\'),
];

const SCHEMES: Vector[] = [
  ...plain(
    PAYLOADS,
    'gopher://127.0.0.1:PORT/_x',
    'dict://127.0.0.1:PORT/x',
    'ldap://127.0.0.1:PORT/x',
    'netdoc:///etc/passwd',
  ),
  ...plain(
    PAYLOADS,
    'file:///etc/passwd',
    'jar:http://127.0.0.1:PORT!/',
    'sftp://127.0.0.1:PORT/',
    'tftp://127.0.0.1:PORT/x',
  ),
  ...plain(
    'requests over sockets of the file system',
    'unix:/var/run/docker.sock',
    'http+unix://%2Fvar%2Frun%2Fdocker.sock/',
  ),
  ...plain(
    'URL standard, other schemes',
    'ftp://127.0.0.1:PORT/',
    'ws://127.0.0.1:PORT/',
    'blob:http://127.0.0.1:PORT/1',
    'data:,x',
  ),
];

const PORTS: Vector[] = [
  ...plain(
    FETCH_PORTS,
    `//${OUTSIDE}:22/`,
    `//${OUTSIDE}:25/`,
    `//${OUTSIDE}:53/`,
    `//${OUTSIDE}:389/`,
    `//${OUTSIDE}:0/`,
  ),
];

const NAMES: Vector[] = [
  named('localtest.me and its like', 'local.test', ['127.0.0.1']),
  named('localtest.me and its like', 'local6.test', ['::1']),
  named('nip.io and its like', '127.0.0.1.nip.test', ['127.0.0.1']),
  named('nip.io and its like', 'a9fea9fe.nip.test', ['169.254.169.254']),
  named('CVE-2024-29415, the package ip', 'mapped.test', ['::ffff:127.0.0.1']),
  named('RFC 6052, NAT64', 'nat64.test', ['64:ff9b::7f00:1']),
  named('RFC 4007, zones', 'zone.test', ['fe80::1%lo']),
  named(PAYLOADS, '١٢٧.0.0.test', ['127.0.0.1']),
  named('IDNA, a name that looks like another', 'xn--lcalhost-54a.test', ['127.0.0.1']),
  named('hosts files', 'ip6-localhost', ['::1']),
  named('hosts files', 'kubernetes.default.svc', ['10.96.0.1']),
  named('hosts files', 'metadata.google.internal', ['169.254.169.254']),
  named(JACKSON, 'good-and-bad.test', [OUTSIDE, '127.0.0.1']),
  named(JACKSON, 'bad-and-good.test', ['127.0.0.1', OUTSIDE]),
  named(JACKSON, 'good4-bad6.test', [OUTSIDE, '::1']),
  named('a hundred answers, one of them bad', 'many.test', [...Array(99).fill(OUTSIDE), '127.0.0.1']),
  named('answers that are no addresses', 'text.test', ['127.1']),
];

const REBINDING: Vector[] = [
  named(JACKSON, 'rebind.test', [OUTSIDE], ['127.0.0.1']),
  named(JACKSON, 'rebind6.test', [OUTSIDE], ['::1']),
  named(JACKSON, 'rebind-mixed.test', [OUTSIDE], ['127.0.0.1', OUTSIDE]),
  named('1u.ms, two answers in turn', 'rebind-mapped.test', [OUTSIDE], ['::ffff:127.0.0.1']),
  named('singularity, an answer that flips', 'rebind-other.test', [OUTSIDE], ['127.8.8.8']),
].map((vector) => ({ ...vector, leadsElsewhere: true, foolsCheckThenFetch: true }));

/** Who looks a name up once more than others would is fooled one answer later. */
const LATER_REBINDING: Vector[] = [
  { ...named(JACKSON, 'rebind-later.test', [OUTSIDE], [OUTSIDE], ['127.0.0.1']), leadsElsewhere: true },
];

const REDIRECTS: Vector[] = [
  ...[300, 301, 302, 303, 307, 308].map((status) => sentTo(PAYLOADS, 'http://127.0.0.1:PORT/', status)),
  sentTo(PAYLOADS, 'http://[::1]:PORT/'),
  sentTo(PAYLOADS, 'http://[::ffff:127.0.0.1]:PORT/'),
  sentTo(PAYLOADS, 'http://2130706433:PORT/'),
  sentTo(PAYLOADS, 'http://localhost:PORT/'),
  sentTo(PAYLOADS, 'http://127.8.8.8:PORT/'),
  sentTo('RFC 9110, a relative Location', '//127.0.0.1:PORT/'),
  sentTo('CVE-2023-28155, the package request', 'https://127.0.0.1:PORT/'),
  { ...sentTo('localtest.me and its like', 'http://local.test:PORT/'), answers: [['127.0.0.1']] },
  sentTo(PAYLOADS, 'gopher://127.0.0.1:PORT/_x'),
  sentTo(PAYLOADS, 'file:///etc/passwd'),
  sentTo('a second redirect', `http://${OUTSIDE}:HOP/302?${encodeURIComponent('http://127.0.0.1:PORT/')}`),
];

/** A URL without a scheme is tried by http and by https. */
export const VECTORS: readonly Vector[] = [
  SPELLINGS,
  IPV6,
  RANGES,
  PARSERS,
  SCHEMES,
  PORTS,
  NAMES,
  REBINDING,
  LATER_REBINDING,
  REDIRECTS,
]
  .flat()
  .flatMap((vector) => {
    return vector.url.startsWith('//')
      ? ['http:', 'https:'].map((scheme) => ({ ...vector, url: scheme + vector.url }))
      : vector;
  });
