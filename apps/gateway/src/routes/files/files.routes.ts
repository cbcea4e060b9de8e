import {
  FileDeletedSchema,
  FileFormSchema,
  FileListQuerySchema,
  FileListSchema,
  FileViewSchema,
} from '@aigolos/contracts';
import multipart from '@fastify/multipart';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { openAIPageOf } from '../../answers/item-pages.ts';
import { type ReceiveOptions, receiveForm } from '../../forms/receive-form.ts';
import { openAIErrors } from '../shared-responses.ts';
import { toFileView } from './file-view.ts';
import type { Files } from './files.service.ts';

export interface FileRoutesDeps {
  files: Files;
  blobs: ReceiveOptions['blobs'];
  maxBytes: number;
}

const FILE = { field: 'file', what: 'file', tooLarge: 'BODY_TOO_LARGE' } as const;
const params = z.object({ id: z.string() });
/** It is streamed, so this only documents it. */
const bytes = { description: 'The file itself', content: { 'application/octet-stream': { schema: z.file() } } };

export const fileRoutes: FastifyPluginAsyncZod<FileRoutesDeps> = async (app, { files, blobs, maxBytes }) => {
  const config = { access: 'user', scope: 'files' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({ tags: ['files'], summary, ...fields });
  await app.register(multipart, { throwFileSizeLimit: false });

  app.post(
    '/v1/files',
    {
      config,
      // The form is read as a stream, after validation; its schema only documents it here.
      validatorCompiler: () => (value) => ({ value }),
      schema: schema('Upload a file', {
        consumes: ['multipart/form-data'],
        body: FileFormSchema,
        response: { 200: FileViewSchema, ...openAIErrors },
      }),
    },
    async (request) => {
      const form = await receiveForm(request, { blobs, maxBytes, takes: FILE });
      return toFileView(await files.upload(request.account, form));
    },
  );

  app.get(
    '/v1/files',
    {
      config,
      schema: schema('List files', {
        querystring: FileListQuerySchema,
        response: { 200: FileListSchema, ...openAIErrors },
      }),
    },
    async ({ account, query }) => {
      const page = await files.list(account, query);
      return openAIPageOf(page.files.map(toFileView), page.hasMore);
    },
  );

  app.get(
    '/v1/files/:id',
    { config, schema: schema('One file', { params, response: { 200: FileViewSchema, ...openAIErrors } }) },
    async ({ account, params: { id } }) => toFileView(await files.get(account, id)),
  );

  app.get(
    '/v1/files/:id/content',
    { config, schema: schema('What is in a file', { params, response: { 200: bytes, ...openAIErrors } }) },
    async ({ account, params: { id } }, reply) => {
      sendContent(reply, await files.content(account, id));
      return reply;
    },
  );

  app.delete(
    '/v1/files/:id',
    { config, schema: schema('Delete a file', { params, response: { 200: FileDeletedSchema, ...openAIErrors } }) },
    async ({ account, params: { id } }) => {
      await files.delete(account, id);
      return { id, object: 'file' as const, deleted: true as const };
    },
  );
};

function sendContent(reply: FastifyReply, { file, stream }: Awaited<ReturnType<Files['content']>>): void {
  // RFC 8187; a name that came as JSON may have halves of characters in it.
  const name = encodeURIComponent(file.filename.toWellFormed()).replaceAll(/['()*]/g, encodeOctet);
  reply
    .type('application/octet-stream')
    .header('content-length', file.bytes)
    .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
    .send(stream);
}

function encodeOctet(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
