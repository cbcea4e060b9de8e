/** OpenAPI has words for the events of a stream since this version. */
export const OPENAPI_VERSION = '3.2.0';

/** What a schema of events notes of the text that ends a stream of them, where one does. */
export const LAST_DATA = 'x-last-data';

interface Content {
  schema?: Record<string, unknown>;
  itemSchema?: object;
}

type Answers = Record<string, { content?: Record<string, Content> }>;

/**
 * Describes each event of a stream by its fields, as OpenAPI 3.2 has it: `data` is JSON of the schema that the route gives,
 * and a name and an id may stand beside it.
 */
export function describeEvents(answers: Answers): void {
  for (const { content } of Object.values(answers)) {
    const stream = content?.['text/event-stream'];
    if (!content || !stream?.schema) continue;
    const { [LAST_DATA]: last, ...contentSchema } = stream.schema;
    const json = { type: 'string', contentMediaType: 'application/json', contentSchema };
    const data = last === undefined ? json : { anyOf: [json, { const: last }] };
    const properties = { data, event: { type: 'string' }, id: { type: 'string' } };
    content['text/event-stream'] = { itemSchema: { type: 'object', properties, required: ['data'] } };
  }
}
