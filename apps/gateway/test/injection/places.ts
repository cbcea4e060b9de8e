/** As much of JSON Schema as the API's description has. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  minItems?: number;
  minLength?: number;
  minimum?: number;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
}

/** A field of a body, however deep: what the body is with this value in it, and all else right. */
export interface Place {
  at: string;
  withValue(value: unknown): unknown;
}

export interface Describes {
  schemas: Record<string, Schema>;
  /** Values that are right in a way which the description cannot say, by the names of their fields. */
  known: Record<string, unknown>;
}

const MAX_DEPTH = 8;
const KEY = 'key';

/** Every field of a body, and the keys of those objects whose keys the client chooses. */
export function* placesIn(described: Schema, describes: Describes, depth = 0): Generator<Place> {
  const schema = resolved(described, describes);
  yield { at: '', withValue: (value) => value };
  if (depth === MAX_DEPTH) return;
  for (const branch of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    for (const place of placesIn(branch, describes, depth + 1)) if (place.at !== '') yield place;
  }
  if (schema.items) {
    for (const { at, withValue } of placesIn(schema.items, describes, depth + 1)) {
      yield { at: `[]${at}`, withValue: (value) => [withValue(value)] };
    }
  }
  const around = () => sampleOf({ ...schema, anyOf: [], oneOf: [] }, describes) as object;
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    for (const { at, withValue } of placesIn(field, describes, depth + 1)) {
      yield { at: `.${name}${at}`, withValue: (value) => ({ ...around(), [name]: withValue(value) }) };
    }
  }
  if (typeof schema.additionalProperties === 'object') {
    yield { at: '.*', withValue: (value) => ({ ...around(), [KEY]: value }) };
    yield { at: '.{key}', withValue: (value) => ({ ...around(), [typeof value === 'string' ? value : KEY]: 'x' }) };
  }
}

/** The smallest value that the schema allows. */
export function sampleOf(described: Schema, describes: Describes, name = ''): unknown {
  const schema = resolved(described, describes);
  if (name in describes.known) return describes.known[name];
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [branch] = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (branch) return sampleOf(branch, describes, name);
  switch ([schema.type].flat()[0] ?? 'string') {
    case 'object': {
      const needed = (schema.required ?? []).map((field) => [
        field,
        sampleOf(schema.properties?.[field] ?? {}, describes, field),
      ]);
      return Object.fromEntries(needed) as object;
    }
    case 'array':
      return (schema.minItems ?? 0) > 0 ? [sampleOf(schema.items ?? {}, describes)] : [];
    case 'number':
    case 'integer':
      return Math.max(schema.minimum ?? 1, 1);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return 'x'.repeat(Math.max(1, schema.minLength ?? 1));
  }
}

function resolved(schema: Schema, { schemas }: Describes): Schema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.split('/').at(-1) ?? '';
  return schemas[name] ?? {};
}
