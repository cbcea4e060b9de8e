import { describe, expect, test } from 'vitest';
import {
  AIGolosError,
  AsrServiceError,
  ChatCompletionRequestSchema,
  isRetryable,
  LanguageSchema,
  MetadataSchema,
  newId,
  SpeechRequestSchema,
  toJobFailure,
  UnavailableError,
  ValidationError,
} from './index.ts';

describe('errors', () => {
  test('carry their class, their code and whether a later try may succeed', () => {
    const error = new AsrServiceError('no', { code: 'ASR_ENGINE_FAILED', retryable: true });
    expect(error).toBeInstanceOf(AIGolosError);
    expect(error.name).toBe('AsrServiceError');
    expect(isRetryable(error)).toBe(true);
    expect(isRetryable(new ValidationError('no'))).toBe(false);
    expect(isRetryable(new UnavailableError('away'))).toBe(true);
    expect(isRetryable(new Error('unknown'))).toBe(true);
  });

  test('a failure that nobody coded shows its owner nothing of what it said', () => {
    expect(JSON.stringify(toJobFailure(new Error('mongodb://user:secret@host')))).not.toContain('secret');
    expect(toJobFailure(new ValidationError('bad', { param: 'file' }))).toEqual({
      code: 'VALIDATION_FAILED',
      message: 'bad',
      param: 'file',
    });
  });
});

test('ids name their kind and sort by the time they were made', () => {
  const ids = Array.from({ length: 100 }, () => newId('transcription'));
  expect(ids[0]).toMatch(/^trn_[0-9a-f]{32}$/);
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(100);
});

describe('requests', () => {
  const chat = (content: unknown) =>
    ChatCompletionRequestSchema.safeParse({ model: 'm', messages: [{ role: 'user', content }] });
  const messages = (result: { error?: { issues: { message: string; path: PropertyKey[] }[] } | undefined }) =>
    result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

  test('a chat message has 1 to 5000 characters, counted as a reader counts them', () => {
    expect(chat('x'.repeat(5_000)).success).toBe(true);
    expect(chat('😀'.repeat(5_000)).success).toBe(true);
    expect(messages(chat('x'.repeat(6_120)))).toEqual([
      'messages.0.content: message must have 1 to 5000 characters, this one has 6120',
    ]);
    expect(messages(chat('  '))).toEqual([
      'messages.0.content: message must have 1 to 5000 characters, this one has 0',
    ]);
    expect(chat([{ type: 'text', text: 'parts are fine' }]).success).toBe(true);
    expect(chat([{ type: 'image_url', image_url: { url: 'x' } }]).success).toBe(false);
  });

  test('a text for speech has 1 to 500000 characters, and a pace within bounds', () => {
    const speech = (fields: object) =>
      SpeechRequestSchema.safeParse({ model: 'm', voice: 'v', input: 'hi', ...fields });
    expect(speech({}).data).toMatchObject({ response_format: 'mp3', speed: 1 });
    expect(messages(speech({ input: 'x'.repeat(500_001) }))?.[0]).toContain('1 to 500000 characters');
    expect(speech({ input: ' \n' }).success).toBe(false);
    for (const speed of [0.25, 4]) expect(speech({ speed }).success).toBe(true);
    for (const speed of [0.2, 4.1]) expect(speech({ speed }).success).toBe(false);
  });

  test('a language is an ISO 639 code', () => {
    for (const good of ['en', 'ru', 'pt-BR', 'yue']) expect(LanguageSchema.safeParse(good).success).toBe(true);
    expect(messages(LanguageSchema.safeParse('english!'))?.[0]).toContain('not "english!"');
  });
});

test('a key that the database cannot hold is refused, in metadata and however deep in a schema', () => {
  expect(MetadataSchema.safeParse({ 'a\0b': 'x' }).error?.issues).toHaveLength(1);
  expect(MetadataSchema.safeParse({ 'a b': 'x\0y' }).success).toBe(true);
  const chat = (parameters: object) =>
    ChatCompletionRequestSchema.safeParse({
      model: 'x',
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'function', function: { name: 'f', parameters } }],
    });
  expect(chat({ type: 'object', properties: { a: { enum: ['x\0y'] } } }).success).toBe(true);
  expect(chat({ type: 'object', properties: { a: [{ 'b\0c': 1 }] } }).error?.issues[0]?.message).toContain('U+0000');
});
