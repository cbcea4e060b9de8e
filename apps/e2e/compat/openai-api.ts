import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { amended } from './amended-schemas.ts';

/** What `extract-openai-api.ts` took out of OpenAI's description. */
export interface OpenAIApi {
  source: string;
  /** By method and path, such as `POST /chat/completions`. */
  operations: Record<string, OpenAIOperation>;
  components: { schemas: Record<string, unknown> };
}

export interface OpenAIOperation {
  /** Names of the fields of its body or form and of its query. */
  parameters: string[];
  /** The schema of its JSON answer, and of each of its server-sent events. */
  json?: unknown;
  event?: unknown;
}

export const openAIApi = JSON.parse(
  readFileSync(join(import.meta.dirname, 'generated', 'openai-api.json'), 'utf8'),
) as OpenAIApi;

const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
addFormats.default(ajv);
ajv.addSchema({ $id: 'openai', components: { schemas: amended(openAIApi.components.schemas) } });

/** What is wrong with a value by a schema of OpenAI's; empty where nothing is. */
export function breachesOf(schema: unknown, value: unknown): string[] {
  const validate = ajv.compile(withAbsoluteRefs(schema) as AnySchema);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
}

/** One of OpenAI's components. */
export function component(name: string): unknown {
  if (!(name in openAIApi.components.schemas)) throw new Error(`OpenAI's description has no ${name}`);
  return { $ref: `#/components/schemas/${name}` };
}

function withAbsoluteRefs(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openai#/components/'));
}
