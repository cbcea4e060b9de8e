import { randomUUID } from 'node:crypto';
import { LONG, MEGABYTE, NOT_UTF8, OPERATORS, QUERY_ENDINGS, RAW_ADDRESSES, TEXTS, VALUES } from './corpus.ts';
import { inForm } from './forms.ts';
import { type Choose, type HostileRequest, NOW, type Prepared, type Route } from './hostile-request.ts';
import { type Describes, placesIn, type Schema, sampleOf } from './places.ts';

interface Operation {
  parameters?: { in: 'path' | 'query' | 'header'; name: string }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

export interface Description {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** Headers that routes read beside those that are described. */
const HEADERS = [
  'accept',
  'authorization',
  'idempotency-key',
  'last-event-id',
  'x-finish-by',
  'x-metadata-order',
  'x-priority',
  'x-request-id',
  'x-retention',
  'x-start-by',
  'x-webhook-url',
];
const JSON_HEADERS = { ...NOW, 'content-type': 'application/json' };
/** The model of a route, where its description leaves open which one there is. */
const MODELS: Record<string, string> = {
  '/v1/audio/transcriptions': 'whisper-1',
  '/v1/audio/translations': 'whisper-1',
  '/v1/audio/speech': 'tts-1',
};

function inTurn(): Choose {
  const turns = new Map<readonly unknown[], number>();
  return (items, count) => {
    const from = turns.get(items) ?? 0;
    turns.set(items, from + count);
    return items.length <= count
      ? items
      : Array.from({ length: count }, (_, n) => items[(from + n) % items.length] as never);
  };
}

/**
 * Requests for each place of each route, in which something stands that may stand there: all that is in the corpus, or of
 * each kind some, a few thousand requests in all.
 */
export function* hostileRequests(
  description: Description,
  prepared: Prepared,
  { all }: { all: boolean },
): Generator<HostileRequest> {
  const pick: Choose = all ? (items) => items : inTurn();
  for (const [template, operations] of Object.entries(description.paths)) {
    for (const [name, operation] of Object.entries(operations)) {
      const known = { ...prepared.known, model: MODELS[template] ?? 'gpt-4o' };
      const describes = { schemas: description.components.schemas, known };
      const method = name.toUpperCase();
      // What is deleted would be missing where others look for it.
      const ids = method === 'DELETE' ? {} : prepared.ids;
      const route = {
        template,
        method,
        path: filled(template, ids),
        headers: NOW,
        place: `${method} ${template}`,
        pick,
      };
      yield* inAddress(route, operation, ids);
      const [[type, content] = []] = Object.entries(operation.requestBody?.content ?? {});
      const json = type === 'application/json' && content;
      yield* inHeaders(
        route,
        json ? { headers: JSON_HEADERS, body: JSON.stringify(sampleOf(content.schema, describes)) } : { headers: NOW },
      );
      if (json) yield* inJson(route, content.schema, describes);
      if (type === 'multipart/form-data' && content) yield* inForm(route, content.schema, { describes, prepared });
    }
  }
}

function filled(template: string, ids: Prepared['ids']): string {
  return template.replaceAll(/\{\w+\}/g, (_parameter, at: number) => {
    const upTo = template.slice(0, template.indexOf('}', at) + 1);
    return ids[upTo] ?? `x_${randomUUID()}`;
  });
}

const ENCODED_TEXTS = [...TEXTS, LONG].map((text) => encodeURIComponent(text.toWellFormed()));
// What a client cannot send as a header at all is tried on a bare connection, in http-limits.test.ts.
const HEADER_TEXTS = [...TEXTS, LONG.slice(0, 4_000)].filter((text) => !/[\0\r\n]/.test(text));

function* inAddress(route: Route, { parameters = [] }: Operation, ids: Prepared['ids']): Generator<HostileRequest> {
  const { template, pick } = route;
  for (const { in: where, name } of parameters) {
    const place = `${route.place} ${where} ${name}`;
    const texts = [...pick(ENCODED_TEXTS, 5), ...pick(RAW_ADDRESSES, 5)];
    if (where === 'path') {
      const parameter = `{${name}}`;
      const upTo = template.slice(0, template.indexOf(parameter));
      const rest = filled(template, ids).slice(filled(`${upTo}${parameter}`, ids).length);
      for (const text of texts) yield { ...route, place, path: `${filled(upTo, ids)}${text}${rest}` };
    }
    if (where === 'query') {
      const before = `${route.path}?${encodeURIComponent(name)}`;
      for (const text of texts) yield { ...route, place, path: `${before}=${text}` };
      for (const ending of QUERY_ENDINGS) yield { ...route, place, path: `${before}${ending}` };
      for (const key of pick(ENCODED_TEXTS, 1)) yield { ...route, place, path: `${before}=1&metadata%5B${key}%5D=x` };
    }
  }
}

function* inHeaders(
  route: Route,
  right: { headers: Record<string, string>; body?: string },
): Generator<HostileRequest> {
  for (const name of HEADERS) {
    for (const text of route.pick(HEADER_TEXTS, 1)) {
      const value = Buffer.from(text.toWellFormed()).toString('latin1');
      const headers = { ...right.headers, [name]: value };
      yield { ...route, ...right, place: `${route.place} header ${name}`, headers };
    }
  }
}

function* inJson(route: Route, schema: Schema, describes: Describes): Generator<HostileRequest> {
  const { pick } = route;
  const headers = JSON_HEADERS;
  const smallest = JSON.stringify(sampleOf(schema, describes));
  for (const { at, withValue } of placesIn(schema, describes)) {
    const place = `${route.place} body ${at}`;
    for (const value of [...pick(TEXTS, 3), ...pick(OPERATORS, 3), ...pick(VALUES, 1)]) {
      yield { ...route, place, headers, body: JSON.stringify(withValue(value)) };
    }
    const [before = '', after = ''] = JSON.stringify(withValue('bytes')).split('bytes');
    const bytes = pick(NOT_UTF8, 1).map((text) => Buffer.concat([Buffer.from(before), text, Buffer.from(after)]));
    for (const body of bytes) yield { ...route, place, headers, body };
  }
  yield { ...route, headers, body: smallest.replace('}', `,"more":"${MEGABYTE}"}`) };
}
