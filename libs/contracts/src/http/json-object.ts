import { z } from 'zod';

/** BSON ends a key at this character, so the database takes none that holds it. */
const KEY_END = '\0';

export function isStorableKey(key: string): boolean {
  return !key.includes(KEY_END);
}

export const UNSTORABLE_KEY = 'keys cannot have the character U+0000 in them';

/** An object of the client's own making, such as a JSON Schema, which is kept as it is. */
export const JsonObjectSchema = z
  .record(z.string(), z.unknown())
  .refine(hasStorableKeys, { error: `${UNSTORABLE_KEY}, however deep` });

function hasStorableKeys(object: Record<string, unknown>): boolean {
  const unseen: unknown[] = [object];
  for (let value = unseen.pop(); value !== undefined; value = unseen.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (!Object.keys(value).every(isStorableKey)) return false;
    unseen.push(...Object.values(value).filter((inner) => inner !== undefined));
  }
  return true;
}
