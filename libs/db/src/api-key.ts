import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AuthError, ID_PREFIXES, newId } from '@aigolos/contracts';

/**
 * `ag_<id>_<secret><checksum>`: the id of the key's record without its prefix, 190 random bits, and the CRC-32 of all that
 * stands before it. The prefix lets scanners find keys that were published, the checksum tells a mistyped one without the
 * database; both as GitHub has them in its tokens.
 */
const FORM = /^(?<body>ag_(?<id>[0-9a-f]{32})_(?<secret>[0-9A-Za-z]{32}))(?<checksum>[0-9A-Za-z]{6})$/;
const PREFIX = 'ag_';
/** Keys of this form were made before; they were found by the hash of their whole text, and are still. */
const EARLIER_PREFIX = 'sk-aigolos-';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;

/** What a text that somebody sent for a key says: which record is to be looked at, and for which hash. */
export type ReadApiKey = { id: string; hash: string } | { id: undefined; hash: string };

/** A new key, the id of its record, and what is kept of it. */
export function makeApiKey(): { key: string; id: string; hash: string } {
  const id = newId('apiKey');
  const secret = Array.from({ length: SECRET_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  const body = `${PREFIX}${id.slice(id.indexOf('_') + 1)}_${secret}`;
  return { key: body + checksumOf(body), id, hash: hashOf(secret) };
}

/**
 * Undefined where it cannot be a key at all.
 * @throws AuthError of one whose checksum does not fit: it was not copied as it is.
 */
export function readApiKey(text: string): ReadApiKey | undefined {
  if (text.startsWith(EARLIER_PREFIX)) return { id: undefined, hash: hashOf(text) };
  if (!text.startsWith(PREFIX)) return undefined;
  const { body = '', id = '', secret = '', checksum } = FORM.exec(text)?.groups ?? {};
  if (checksum !== undefined && checksumOf(body) === checksum)
    return { id: `${ID_PREFIXES.apiKey}_${id}`, hash: hashOf(secret) };
  throw new AuthError('This API key was mistyped or cut off: its checksum does not fit. Copy the whole of it.', {
    code: 'API_KEY_MISTYPED',
  });
}

/** Takes the same time wherever they differ. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, 'hex'), Buffer.from(other, 'hex')];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A plain hash is enough: there are too many secrets to be guessed. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function checksumOf(text: string): string {
  let rest = crc32(text);
  let digits = '';
  while (digits.length < CHECKSUM_LENGTH) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}
