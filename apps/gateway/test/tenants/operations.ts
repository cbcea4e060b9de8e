import type { Row } from './rows.ts';

/** What of an OpenAPI document tells which routes there are, who may call them and where they take ids. */
export interface ApiDescription {
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

interface Operation {
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
}

interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
}

/** Names under which queries and bodies have ids. */
const NAMES_OF_IDS = /(^|_)ids?$|^(after|account|conversation|job|scope)$/;

/** By method and path, as `GET /v1/jobs/{id}`. */
export function operationsOf(description: ApiDescription): Map<string, Operation> {
  return new Map(
    Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
    ),
  );
}

/** What a row leaves out, or has wrong, of what the description says of its route. */
export function gapsIn(description: ApiDescription, name: string, row: Row | undefined): string[] {
  const operation = operationsOf(description).get(name);
  if (!row) return [`${name} has no row`];
  if (!operation) return [`${name} is no route`];
  const scopes = operation.security?.flatMap((scheme) => scheme['apiKey'] ?? []);
  const said = operation.security?.length === 0 ? 'public' : (scopes?.[0] ?? 'any');
  const covered = new Set([...(row.ids ?? []).map(({ at }) => at.split('.', 2).join('.')), ...(row.shared ?? [])]);
  const left = [...placesOfIds(description, operation)].filter((place) => !covered.has(place));
  return [
    ...(said === row.scope ? [] : [`${name} takes keys for ${said}, not for ${row.scope}`]),
    ...left.map((place) => `the row of ${name} leaves out ${place}`),
  ];
}

function* placesOfIds(description: ApiDescription, operation: Operation): Generator<string> {
  for (const { name, in: where } of operation.parameters ?? []) {
    if (where === 'path' || (where === 'query' && NAMES_OF_IDS.test(name))) yield `${where}.${name}`;
  }
  for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
    for (const name of fieldsOf(description, schema)) if (NAMES_OF_IDS.test(name)) yield `body.${name}`;
  }
}

function fieldsOf(description: ApiDescription, schema: Schema = {}): string[] {
  const { $ref, anyOf = [], properties = {} } = schema;
  const named = $ref === undefined ? undefined : description.components?.schemas?.[$ref.split('/').at(-1) ?? ''];
  return [
    ...Object.keys(properties),
    ...[...anyOf, ...(named ? [named] : [])].flatMap((one) => fieldsOf(description, one)),
  ];
}
