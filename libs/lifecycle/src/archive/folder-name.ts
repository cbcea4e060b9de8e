import { createHash } from 'node:crypto';

const PLAIN = /[a-z0-9_-]/;
const MAX_LENGTH = 120;
const HASH_LENGTH = 16;

/**
 * A name that a folder may have for a user, different for different users, on every file system: small letters, digits,
 * `-` and `_` stay, every other byte becomes `%` and two hex digits; what is too long ends in a hash of the whole.
 */
export function folderNameOf(username: string): string {
  const name = Array.from(Buffer.from(username), (byte) => {
    const character = String.fromCharCode(byte);
    return PLAIN.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  if (name === '') return '%';
  if (name.length <= MAX_LENGTH) return name;
  const hash = createHash('sha256').update(username).digest('hex').slice(0, HASH_LENGTH);
  return `${name.slice(0, MAX_LENGTH - HASH_LENGTH - 1)}%${hash}`;
}
