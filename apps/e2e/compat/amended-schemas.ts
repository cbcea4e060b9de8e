type Schema = {
  [name: string]: unknown;
  properties: Record<string, Schema>;
  allOf: Schema[];
  items: Schema;
  enum: string[];
};

/** OpenAI's schemas, where its own documentation shows what they do not allow. Answers are held to all else of them. */
export function amended(components: Record<string, unknown>): Record<string, unknown> {
  const schemas = structuredClone(components) as Record<string, Schema>;
  const part = (name: string) => {
    const schema = schemas[name];
    if (!schema) throw new Error(`OpenAI's description has no ${name}`);
    return schema;
  };

  // The examples of `response.created`, `response.in_progress` and of a cancelled response have `"usage": null`.
  const response = part('Response').allOf.find(({ properties }) => properties?.usage);
  if (!response) throw new Error("OpenAI's description has no usage of a Response");
  response.properties.usage = { anyOf: [response.properties.usage, { type: 'null' }] } as unknown as Schema;

  // The messages that a stored completion was asked with are listed, and the example is one of the user; the schema is that of
  // answers, which are always the assistant's.
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

  // `evals` is among what `POST /files` says that a file may be uploaded for, and missing where the uploaded file is described.
  part('OpenAIFile').properties.purpose?.enum.push('evals');
  return schemas;
}
