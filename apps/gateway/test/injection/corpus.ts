import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';

const run = randomUUID().replaceAll('-', '').slice(0, 12);
/** Stands in operators and nowhere else. */
export const OPERAND = `operand${run}`;
/** The name of a file that nobody is to make. */
export const ESCAPED_FILE = `escaped-${run}`;
/** A header that nobody is to send back. */
export const INJECTED_HEADER = 'x-injected';
/** A property that no object is to have. */
export const POLLUTION = `polluted${run}`;

const UP = '../'.repeat(12);

/** Texts for any field, id and header. */
export const TEXTS: string[] = [
  '',
  ' ',
  `${UP}etc/passwd`,
  `${UP}${tmpdir().slice(1)}/${ESCAPED_FILE}`,
  `..\\..\\..\\${ESCAPED_FILE}`,
  `/${tmpdir().slice(1)}/${ESCAPED_FILE}`,
  'file:///etc/passwd',
  `a\r\n${INJECTED_HEADER}: 1\r\n\r\n<script>`,
  'a\0b',
  '\ud800',
  'x\udc00y',
  '\u202egnp.exe',
  '\u0430dmin',
  '%s%n%x %p {0} {{7*7}} ${7*7} #{7*7}',
  '$where',
  '{"$gt":""}',
  'a.$[].b',
  '__proto__',
  'constructor.prototype',
  "' || 1==1 || '",
  '99999999999999999999999999',
  '-1',
  'NaN',
];

/** What the database would take for more than a value, and the language for more than data: for any field of a body. */
export const OPERATORS: unknown[] = [
  { $gt: OPERAND },
  { $ne: OPERAND },
  { $where: OPERAND },
  { $regex: OPERAND },
  { $in: [OPERAND] },
  { $or: [{ a: OPERAND }] },
  [{ $gt: OPERAND }],
  { 'a.b': OPERAND, $set: { account: OPERAND } },
  JSON.parse(`{"__proto__":{"${POLLUTION}":1}}`),
  JSON.parse(`{"a":{"constructor":{"prototype":{"${POLLUTION}":1}}}}`),
];

/** Values of other kinds. */
export const VALUES: unknown[] = [2 ** 53, 1e308, -1, 0.1, null, true, [], {}];

/** As they stand in an address, sent as they are. */
export const RAW_ADDRESSES: string[] = [
  '..',
  '%2e%2e',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '..%2f..%2f..%2fetc%2fpasswd',
  '..%252f..%252fetc%252fpasswd',
  '..%5c..%5cetc',
  '%00',
  `%0d%0a${INJECTED_HEADER}:%201`,
  `%250d%250a${INJECTED_HEADER}:%201`,
  '%c0%af',
  '%c0%ae%c0%ae%c0%af',
  '%ed%a0%80',
  '%',
  '%zz',
  ';',
  '*',
];

/** What is put behind the name of a query parameter, with its value. */
export const QUERY_ENDINGS: string[] = [
  `[$gt]=${OPERAND}`,
  `[$where]=${OPERAND}`,
  `[]=${OPERAND}`,
  `.$gt=${OPERAND}`,
  `[__proto__][${POLLUTION}]=1`,
  `[constructor][prototype][${POLLUTION}]=1`,
  '=a&=b',
  '',
];

/** Bytes that are no UTF-8: overlong, cut off, half a pair. */
export const NOT_UTF8 = [Buffer.from([0xc0, 0xaf]), Buffer.from([0xe2, 0x82]), Buffer.from([0xed, 0xa0, 0x80])];

export const MEGABYTE = 'x'.repeat(1024 ** 2);
/** As much of it as an address or a header may have. */
export const LONG = 'x'.repeat(8_000);
