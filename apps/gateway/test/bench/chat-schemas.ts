/** A chat's request and answer as JSON schemas, written by hand: what somebody without zod would have. */

const text = { type: 'string' } as const;
const integer = { type: 'integer' } as const;

const message = {
  type: 'object',
  required: ['role', 'content'],
  properties: {
    role: { type: 'string', enum: ['system', 'developer', 'user', 'assistant'] },
    content: {
      anyOf: [
        { type: 'string', minLength: 1, maxLength: 5_000 },
        {
          type: 'array',
          minItems: 1,
          items: { type: 'object', required: ['type', 'text'], properties: { type: { const: 'text' }, text } },
        },
      ],
    },
    name: text,
  },
};

const body = {
  type: 'object',
  required: ['model', 'messages'],
  additionalProperties: true,
  properties: {
    model: { type: 'string', minLength: 1, maxLength: 200 },
    messages: { type: 'array', minItems: 1, maxItems: 256, items: message },
    stream: { type: 'boolean', nullable: true },
    max_tokens: { type: 'integer', minimum: 1, nullable: true },
    max_completion_tokens: { type: 'integer', minimum: 1, nullable: true },
    temperature: { type: 'number', minimum: 0, maximum: 2, nullable: true },
    top_p: { type: 'number', minimum: 0, maximum: 1, nullable: true },
    stop: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', maxItems: 4, items: text },
      ],
    },
    seed: { type: 'integer', nullable: true },
    n: { const: 1 },
    conversation: { type: 'string', minLength: 1 },
    metadata: { type: 'object', maxProperties: 16, additionalProperties: { type: 'string', maxLength: 512 } },
  },
};

const answer = {
  type: 'object',
  properties: {
    id: text,
    object: text,
    created: integer,
    model: text,
    choices: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          index: integer,
          message: { type: 'object', properties: { role: text, content: text, refusal: { type: 'null' } } },
          logprobs: { type: 'null' },
          finish_reason: text,
        },
      },
    },
    usage: {
      type: 'object',
      properties: { prompt_tokens: integer, completion_tokens: integer, total_tokens: integer },
    },
  },
};

export const CHAT_SCHEMAS = { body, response: { 200: answer } };

export const CHAT_REQUEST = {
  model: 'gpt-4o',
  messages: [
    { role: 'system', content: 'You answer in one sentence.' },
    { role: 'user', content: 'What is the capital of France, and since when?' },
    { role: 'assistant', content: 'Paris, since the tenth century, with interruptions.' },
    { role: 'user', content: 'And of Germany?' },
  ],
  temperature: 0.2,
  max_completion_tokens: 80,
  metadata: { order: '17' },
};

export const CHAT_ANSWER = {
  id: 'cht_0199f3a5b7c07d6f8a51c2f3',
  object: 'chat.completion' as const,
  created: 1_760_000_000,
  model: 'qwen',
  choices: [
    {
      index: 0,
      message: { role: 'assistant' as const, content: 'Berlin, since 1990; Bonn before that.', refusal: null },
      logprobs: null,
      finish_reason: 'stop' as const,
    },
  ],
  usage: { prompt_tokens: 61, completion_tokens: 12, total_tokens: 73 },
};
