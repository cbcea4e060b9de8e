import { checkedMetadata } from '../../answers/metadata-headers.ts';
import { invalidFields } from '../../errors/invalid-fields.ts';

const PARAMETER = /^metadata\[(.*)\]$/s;

/** The pairs of `metadata[key]=value` in a query. @throws ValidationError that names the parameter. */
export function metadataFilter(query: Record<string, unknown>): Record<string, string> | undefined {
  const named = Object.entries(query).flatMap(([name, value]) => {
    const key = PARAMETER.exec(name)?.[1];
    return key === undefined ? [] : [{ name, key, value }];
  });
  if (named.length === 0) return undefined;
  for (const { name, key, value } of named) {
    if (typeof value !== 'string') throw invalidFields([{ path: [name], message: 'must be given once' }]);
    // The database would take them for paths and operators.
    const isPath = key.includes('.') || key.startsWith('$');
    if (isPath)
      throw invalidFields([{ path: [name], message: 'keys with a dot or a leading $ cannot be searched for' }]);
  }
  const pairs = Object.fromEntries(named.map(({ key, value }) => [key, String(value)]));
  return checkedMetadata(pairs, (key) => (key === undefined ? 'metadata' : `metadata[${key}]`));
}
