import { LlmServiceError } from '@aigolos/contracts';

type Scalar = string | number | boolean | null;
const SCALAR_TYPES = ['string', 'number', 'integer', 'boolean', 'null'] as const;

/** The part of JSON Schema that a grammar can hold an answer to. All properties of an object are written, in this order. */
export type HeldSchema =
  | { enum: Scalar[] }
  | { oneOf: HeldSchema[] }
  | { $ref: string }
  | { type: Exclude<(typeof SCALAR_TYPES)[number], 'string'> }
  | { type: 'string'; minLength?: number; maxLength?: number; format?: (typeof FORMATS)[number] }
  | { type: 'array'; items?: HeldSchema; prefixItems?: HeldSchema[]; minItems?: number; maxItems?: number }
  | { type: 'object'; properties: Record<string, HeldSchema>; additionalProperties: boolean | HeldSchema };

export type HeldRoot = HeldSchema & { $defs?: Record<string, HeldSchema> };

const FORMATS = ['date', 'time', 'date-time'] as const;
/** They say nothing of what fits. */
const ANNOTATIONS = new Set(
  '$schema $id $comment title description default examples deprecated readOnly writeOnly'.split(' '),
);
const KEYWORDS: Record<string, readonly string[]> = {
  any: ['type', 'enum', 'const', 'oneOf', 'anyOf', '$ref'],
  string: ['minLength', 'maxLength', 'format'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  object: ['properties', 'required', 'additionalProperties'],
};
/** A grammar grows with these, and with the depth. */
const MOST_REPEATED = 1_000;
const DEEPEST = 32;

export const ANY_OBJECT: HeldSchema = { type: 'object', properties: {}, additionalProperties: true };
const ANYTHING: HeldSchema = {
  oneOf: [
    ANY_OBJECT,
    { type: 'array' },
    ...SCALAR_TYPES.filter((type) => type !== 'integer').map((type) => ({ type })),
  ],
};

/**
 * Reads a JSON Schema as one that a grammar can hold an answer to.
 * @param name what the schema is of, for messages, and the request's field that has it.
 * @throws LlmServiceError (`LLM_ENGINE_REJECTED`) that names the keyword which it cannot be held to, and where it stands.
 */
export function readSchema(schemaText: string, { name, param }: { name: string; param: string }): HeldRoot {
  const refuse: Refuse = (what, path) => {
    const where = path.length === 0 ? 'at its root' : `at ${path.join('.')}`;
    throw new LlmServiceError(`The JSON schema of ${name} cannot be held to: ${what} ${where}.`, {
      code: 'LLM_ENGINE_REJECTED',
      param,
    });
  };
  const schema: unknown = JSON.parse(schemaText);
  if (!isRecord(schema)) return refuse('it is no object', []);
  const { $defs = {}, ...root } = schema;
  if (!isRecord($defs)) return refuse('$defs is no object', []);
  const reading: Reading = { refuse, defs: new Set(Object.keys($defs)) };
  const defs = Object.entries($defs).map(([key, def]) => [key, read(def, ['$defs', key], reading)] as const);
  const held = read(root, [], reading);
  return defs.length === 0 ? held : { ...held, $defs: Object.fromEntries(defs) };
}

type Refuse = (what: string, path: string[]) => never;
interface Reading {
  refuse: Refuse;
  defs: Set<string>;
}

function read(schema: unknown, path: string[], reading: Reading): HeldSchema {
  if (schema === true) return ANYTHING;
  if (!isRecord(schema)) return reading.refuse('a schema must be an object', path);
  if (path.length > DEEPEST) return reading.refuse(`it is deeper than ${DEEPEST} levels`, path);
  const types = typesOf(schema, path, reading);
  assertKnown(schema, types, path, reading);
  if ('$ref' in schema) return readReference(schema.$ref, path, reading);
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives !== undefined) {
    const key = schema.oneOf === undefined ? 'anyOf' : 'oneOf';
    if (!Array.isArray(alternatives) || alternatives.length === 0)
      return reading.refuse(`${key} must be a list of schemas`, path);
    return { oneOf: alternatives.map((each, index) => read(each, [...path, key, String(index)], reading)) };
  }
  const values = 'const' in schema ? [schema.const] : schema.enum;
  if (values !== undefined) {
    if (!Array.isArray(values) || values.length === 0 || !values.every(isScalar))
      return reading.refuse('enum and const must be texts, numbers, true, false or null', path);
    return { enum: values };
  }
  const [first, ...others] = types.map((type) => readType(type, schema, path, reading));
  if (first === undefined) return ANYTHING;
  return others.length === 0 ? first : { oneOf: [first, ...others] };
}

/** Without a type the keywords say of what kind the value is. */
function typesOf(schema: Record<string, unknown>, path: string[], { refuse }: Reading): string[] {
  const { type } = schema;
  const known = [...SCALAR_TYPES, 'array', 'object'] as string[];
  if (type === undefined) {
    return ['object', 'array', 'string'].filter((kind) => KEYWORDS[kind]?.some((keyword) => keyword in schema));
  }
  const types = (Array.isArray(type) ? type : [type]) as unknown[];
  if (types.length === 0 || !types.every((each) => typeof each === 'string' && known.includes(each)))
    return refuse(`type must be one of ${known.join(', ')}`, path);
  return types as string[];
}

function assertKnown(schema: Record<string, unknown>, types: string[], path: string[], { refuse }: Reading): void {
  const allowed = new Set(['any', ...types].flatMap((type) => KEYWORDS[type] ?? []));
  const unknown = Object.keys(schema).find((key) => !allowed.has(key) && !ANNOTATIONS.has(key));
  if (unknown !== undefined) refuse(`"${unknown}" is not supported`, path);
}

function readReference(reference: unknown, path: string[], { refuse, defs }: Reading): HeldSchema {
  const name = /^#\/\$defs\/(.+)$/.exec(String(reference))?.[1];
  if (name === undefined || !defs.has(name))
    return refuse('$ref must name one of the root\'s $defs, as "#/$defs/name"', path);
  return { $ref: `#/$defs/${name}` };
}

function readType(type: string, schema: Record<string, unknown>, path: string[], reading: Reading): HeldSchema {
  const count = (key: string) => {
    const value = schema[key];
    if (value === undefined) return {};
    if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > MOST_REPEATED)
      return reading.refuse(`${key} must be a whole number from 0 to ${MOST_REPEATED}`, path);
    return { [key]: Number(value) };
  };
  switch (type) {
    case 'string': {
      const format = FORMATS.find((known) => known === schema.format);
      if (schema.format !== undefined && format === undefined)
        return reading.refuse(`format must be ${FORMATS.join(', ')}`, path);
      return { type, ...count('minLength'), ...count('maxLength'), ...(format && { format }) };
    }
    case 'array': {
      const { items, prefixItems } = schema;
      if (prefixItems !== undefined && !Array.isArray(prefixItems))
        return reading.refuse('prefixItems must be a list of schemas', path);
      const first = (prefixItems as unknown[] | undefined)?.map((item, index) =>
        read(item, [...path, 'prefixItems', String(index)], reading),
      );
      const rest = items === undefined ? undefined : read(items, [...path, 'items'], reading);
      return {
        type,
        ...count('minItems'),
        ...count('maxItems'),
        ...(first && { prefixItems: first }),
        ...(rest && { items: rest }),
      };
    }
    case 'object':
      return readObject(schema, path, reading);
    default:
      return { type: type as 'number' | 'integer' | 'boolean' | 'null' };
  }
}

/** Only what is named is written: further properties are allowed by most schemas, and demanded by none. */
function readObject(schema: Record<string, unknown>, path: string[], reading: Reading): HeldSchema {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (!isRecord(properties)) return reading.refuse('properties must be an object', path);
  const unnamed = Array.isArray(required)
    ? required.find((name) => !Object.hasOwn(properties, String(name)))
    : 'required, which is no list';
  if (unnamed !== undefined)
    return reading.refuse(`it requires ${String(unnamed)}, which properties does not have`, path);
  const held = Object.entries(properties).map(
    ([key, value]) => [key, read(value, [...path, 'properties', key], reading)] as const,
  );
  const open = held.length === 0 && additionalProperties !== false;
  const more = isRecord(additionalProperties)
    ? read(additionalProperties, [...path, 'additionalProperties'], reading)
    : open;
  return { type: 'object', properties: Object.fromEntries(held), additionalProperties: more };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
