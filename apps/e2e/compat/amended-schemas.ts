type Schema = {
  [name: string]: unknown;
  properties: Record<string, Schema>;
  allOf: Schema[];
  items: Schema;
  enum: string[];
};

const orNull = (schema: Schema | undefined) => ({ anyOf: [schema, { type: 'null' }] }) as unknown as Schema;

/**
 * OpenAI's schemas, where they do not allow what OpenAI's own examples show, or what cannot be said otherwise. Answers are
 * held to all else of them.
 */
export function amended(components: Record<string, unknown>): Record<string, unknown> {
  const schemas = structuredClone(components) as Record<string, Schema>;
  const part = (name: string) => {
    const schema = schemas[name];
    if (!schema) throw new Error(`OpenAI's description has no ${name}`);
    return schema;
  };

  // The examples of responses that have not ended, and of cancelled ones, have `"usage": null`.
  const response = part('Response').allOf.find(({ properties }) => properties?.usage);
  if (!response) throw new Error("OpenAI's description has no usage of a Response");
  response.properties.usage = orNull(response.properties.usage);

  // The example of a stored completion's messages is one of the user; the schema is that of answers.
  const message = structuredClone(part('ChatCompletionResponseMessage'));
  message.properties.role = {
    type: 'string',
    enum: ['system', 'developer', 'user', 'assistant', 'tool'],
  } as unknown as Schema;
  const [, ...rest] = part('ChatCompletionMessageList').properties.data?.items.allOf ?? [];
  part('ChatCompletionMessageList').properties.data = {
    type: 'array',
    items: { allOf: [message, ...rest] },
  } as unknown as Schema;

  // What a file may be uploaded for is missing where a file is described.
  part('OpenAIFile').properties.purpose?.enum.push('evals');

  // A page with nothing on it has no first one to name.
  for (const { properties = {} } of Object.values(schemas)) {
    for (const name of ['first_id', 'last_id']) {
      if (properties[name]) properties[name] = orNull(properties[name]);
    }
  }
  return schemas;
}
