import { LlmServiceError } from '@aigolos/contracts';
import type { HeldRoot, HeldSchema } from './held-schema.ts';

const DEEPEST = 64;
const FORMAT_EXAMPLES = { date: '2026-01-01', time: '00:00:00Z', 'date-time': '2026-01-01T00:00:00Z' };

/** A value that fits a schema: the same for the same schema, texts made of the given one. @throws where there is no end to it. */
export function exampleOf({ $defs = {}, ...root }: HeldRoot, text: string): unknown {
  const of = (schema: HeldSchema, depth = 0): unknown => {
    if (depth > DEEPEST) throw endless();
    const deeper = (part: HeldSchema) => of(part, depth + 1);
    if ('$ref' in schema) {
      const def = $defs[schema.$ref.replace('#/$defs/', '')];
      return def && deeper(def);
    }
    if ('oneOf' in schema) return schema.oneOf[0] && deeper(schema.oneOf[0]);
    if ('enum' in schema) return schema.enum[0];
    switch (schema.type) {
      case 'string': {
        const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, format } = schema;
        return format ? FORMAT_EXAMPLES[format] : text.padEnd(minLength, '.').slice(0, maxLength);
      }
      case 'number':
      case 'integer':
        return 1;
      case 'boolean':
        return true;
      case 'null':
        return null;
      case 'array': {
        const { prefixItems = [], items = { type: 'null' }, minItems = 0 } = schema;
        const more = Math.max(0, minItems - prefixItems.length);
        return [...prefixItems, ...Array.from({ length: more }, () => items)].map(deeper);
      }
      case 'object':
        return Object.fromEntries(Object.entries(schema.properties).map(([key, part]) => [key, deeper(part)]));
    }
  };
  return of(root);
}

function endless(): LlmServiceError {
  return new LlmServiceError('Nothing fits the JSON schema: its references have no end.', {
    code: 'LLM_ENGINE_REJECTED',
  });
}
