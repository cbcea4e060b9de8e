import type { BlobStore } from '@aigolos/blob-store';
import {
  type BatchEndpoint,
  type BatchLine,
  ChatCompletionRequestSchema,
  ResponseRequestSchema,
  SpeechRequestSchema,
  type TranscriptKind,
  ValidationError,
} from '@aigolos/contracts';
import type { Submitted } from '@aigolos/jobs';
import type { z } from 'zod';
import type { SubmissionOptions } from '../answers/submission-options.ts';
import { invalidFields } from '../errors/invalid-fields.ts';
import type { ReceivedForm } from '../forms/receive-form.ts';
import type { Chat } from '../routes/chat/chat.service.ts';
import type { Files } from '../routes/files/files.service.ts';
import type { Responses } from '../routes/responses/responses.service.ts';
import type { Speech } from '../routes/speech/speech.service.ts';
import type { Transcriptions } from '../routes/transcriptions/transcriptions.service.ts';

export interface LineCallsDeps {
  chat: Chat;
  responses: Pick<Responses, 'submit'>;
  speech: Speech;
  transcriptions: Transcriptions;
  files: Pick<Files, 'content'>;
  blobs: Pick<BlobStore, 'receive'>;
  /** Of audio. */
  maxBytes: number;
}

export interface LineCall {
  account: string;
  body: BatchLine['body'];
  options: SubmissionOptions;
}

/** Makes the call of a line as its route would. @throws what the route would answer with. */
export type SubmitLine = (call: LineCall) => Promise<Submitted>;

/** The routes that lines may call, without HTTP. */
export function createLineCalls(deps: LineCallsDeps): Record<BatchEndpoint, SubmitLine> {
  const { chat, responses, speech, transcriptions, files, blobs, maxBytes } = deps;

  const transcript =
    (kind: TranscriptKind): SubmitLine =>
    async ({ account, body: { file: id, ...fields }, options }) => {
      if (typeof id !== 'string') {
        throw new ValidationError('file is required: the id of an uploaded file, such as "file_…"', { param: 'file' });
      }
      const { file, stream } = await files.content(account, id);
      const spooled = await blobs.receive(stream, { maxBytes });
      const form = { file: spooled, filename: file.filename, fields: toFormFields(fields) };
      return (await transcriptions.submit(kind, account, { form, options })).submitted;
    };

  return {
    '/v1/chat/completions': ({ account, body, options }) =>
      chat.submit(account, parse(ChatCompletionRequestSchema, body), options),
    '/v1/responses': ({ account, body, options }) =>
      responses.submit(account, parse(ResponseRequestSchema, body), options),
    '/v1/audio/speech': ({ account, body, options }) =>
      speech.submit(account, parse(SpeechRequestSchema, body), options),
    '/v1/audio/transcriptions': transcript('transcription'),
    '/v1/audio/translations': transcript('translation'),
  };
}

/** @throws ValidationError where the body asks for pieces of an answer: nobody is there to read them. */
export function assertWhole({ stream, stream_format: format }: BatchLine['body']): void {
  if (stream !== true && stream !== 'true' && format !== 'sse') return;
  const param = format === 'sse' ? 'stream_format' : 'stream';
  throw new ValidationError(`${param}: a line of a batch has a whole answer; leave it out.`, { param });
}

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalidFields(parsed.error.issues);
}

/** As a form has them: numbers and truth values are texts, in lists and objects too. */
function toFormFields(fields: Record<string, unknown>): ReceivedForm['fields'] {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, toFormField(value)]));
}

function toFormField(value: unknown): ReceivedForm['fields'][string] {
  if (Array.isArray(value)) return value.map(toText);
  if (typeof value !== 'object' || value === null) return toText(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toText(inner)]));
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
