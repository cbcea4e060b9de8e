/**
 * Takes out of OpenAI's published description of its API (github.com/openai/openai-openapi, MIT licence) what the
 * compatibility suite holds our answers to: the parameters of each operation, the schemas of its answers and all that these
 * refer to, without descriptions. Run with the path of that file as JSON:
 * `node apps/e2e/compat/extract-openai-api.ts openai-openapi.json`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { OpenAIApi } from './openai-api.ts';

const ROUTES =
  /^\/(audio\/(transcriptions|translations|speech)|chat|responses|conversations|models|files|uploads|batches|organization\/usage\/(completions|audio_speeches|audio_transcriptions))(\/[^?]*)?$/;
const METHODS = ['get', 'post', 'delete'];
const REF = '#/components/schemas/';
/** What says nothing about validity, and what validators do not know. */
const DROPPED = new Set(['description', 'title', 'example', 'examples', 'default', 'deprecated', 'discriminator']);

const SchemaSchema = z.record(z.string(), z.unknown());
const ContentSchema = z.record(z.string(), z.object({ schema: SchemaSchema.optional() }));
const OperationSchema = z.object({
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]),
  requestBody: z.object({ content: ContentSchema }).optional(),
  responses: z.record(z.string(), z.object({ content: ContentSchema.default({}) })),
});
const DescriptionSchema = z.object({
  info: z.object({ version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.object({ schemas: z.record(z.string(), SchemaSchema) }),
});

const [path] = process.argv.slice(2);
if (!path) throw new Error("name the JSON file of OpenAI's description");
const { info, paths, components } = DescriptionSchema.parse(JSON.parse(await readFile(path, 'utf8')));
const kept: Record<string, unknown> = {};

/** A schema of the description as ours, with the components that it refers to. */
function keep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keep);
  if (typeof value !== 'object' || value === null) return value;
  const { nullable, ...rest } = value as Record<string, unknown>;
  // OpenAPI 3.0's word, which JSON Schema does not have.
  if (nullable === true) return { anyOf: [keep(rest), { type: 'null' }] };
  return Object.fromEntries(
    Object.entries(rest).flatMap(([name, inner]) => {
      if (name.startsWith('x-')) return [];
      if (DROPPED.has(name) && !isNamed(inner)) return [];
      if (name === '$ref' && typeof inner === 'string') keepComponent(inner.slice(REF.length));
      // Its unions are told apart by the client who reads them; several of their members may fit.
      return [[name === 'oneOf' ? 'anyOf' : name, keep(inner)]];
    }),
  );
}

/** A property may be called `description` too; then a schema stands there. */
function isNamed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('type' in value || '$ref' in value || 'anyOf' in value);
}

function keepComponent(name: string): void {
  if (name in kept) return;
  kept[name] = {};
  kept[name] = keep(components.schemas[name]);
}

/** Names of a request's fields, those of the schemas that it is composed of too. */
function fieldsOf(schema: Record<string, unknown> = {}): string[] {
  const { $ref, properties = {}, allOf = [] } = schema;
  if (typeof $ref === 'string') return fieldsOf(components.schemas[$ref.slice(REF.length)]);
  const composed = z.array(SchemaSchema).parse(allOf);
  return [...Object.keys(properties as object), ...composed.flatMap(fieldsOf)];
}

const operations: OpenAIApi['operations'] = {};
for (const [route, item] of Object.entries(paths)) {
  if (!ROUTES.test(route)) continue;
  for (const method of METHODS.filter((name) => name in item)) {
    const { parameters, requestBody, responses } = OperationSchema.parse(item[method]);
    const query = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    const [body] = Object.values(requestBody?.content ?? {});
    const answer = responses['200']?.content ?? {};
    const schemaOf = (type: string) => (answer[type]?.schema ? { schema: keep(answer[type].schema) } : undefined);
    operations[`${method.toUpperCase()} ${route}`] = {
      parameters: [...new Set([...query, ...fieldsOf(body?.schema)])].map((name) => name.replace('[]', '')),
      json: schemaOf('application/json')?.schema,
      event: schemaOf('text/event-stream')?.schema,
    };
  }
}
keepComponent('ErrorResponse');

const api: OpenAIApi = {
  source: `OpenAI API ${info.version}, https://github.com/openai/openai-openapi, MIT licence`,
  operations,
  components: { schemas: kept },
};
await writeFile(join(import.meta.dirname, 'generated', 'openai-api.json'), `${JSON.stringify(api)}\n`);
