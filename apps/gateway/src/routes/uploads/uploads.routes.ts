import {
  LIMITS,
  UploadCompletionSchema,
  UploadPartFormSchema,
  UploadPartViewSchema,
  UploadRequestSchema,
  type UploadView,
  UploadViewSchema,
} from '@aigolos/contracts';
import type { FileRecord, UploadRecord } from '@aigolos/db';
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { unixSeconds } from '../../answers/job-view.ts';
import { receiveForm } from '../../forms/receive-form.ts';
import { toFileView } from '../files/file-view.ts';
import { openAIErrors } from '../shared-responses.ts';
import { createUploads, type UploadsDeps } from './uploads.service.ts';

const PART = { field: 'data', what: 'part', tooLarge: 'BODY_TOO_LARGE' } as const;
const params = z.object({ id: z.string() });

export const uploadRoutes: FastifyPluginAsyncZod<UploadsDeps> = async (app, deps) => {
  const uploads = createUploads(deps);
  const { blobs } = deps;
  const config = { access: 'user', scope: 'files' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['uploads'],
    summary,
    ...fields,
  });
  const answer = { response: { 200: UploadViewSchema, ...openAIErrors } };
  await app.register(multipart, { throwFileSizeLimit: false });

  app.post(
    '/v1/uploads',
    { config, schema: schema('Begin a file that comes in parts', { body: UploadRequestSchema, ...answer }) },
    async ({ account, body }) => toUploadView(await uploads.begin(account, body)),
  );

  app.post(
    '/v1/uploads/:id/parts',
    {
      config,
      // The form is read as a stream, after validation; its schema only documents it here.
      validatorCompiler: () => (value) => ({ value }),
      schema: schema('Add a part', {
        consumes: ['multipart/form-data'],
        params,
        body: UploadPartFormSchema,
        response: { 200: UploadPartViewSchema, ...openAIErrors },
      }),
    },
    async (request) => {
      const form = await receiveForm(request, { blobs, maxBytes: LIMITS.uploadPartBytes, takes: PART });
      const { id, upload, createdAt } = await uploads.addPart(request.account, request.params.id, form.file);
      return { id, object: 'upload.part' as const, created_at: unixSeconds(createdAt), upload_id: upload };
    },
  );

  app.post(
    '/v1/uploads/:id/complete',
    {
      config,
      schema: schema('Make a file of the parts, in the order given', {
        params,
        body: UploadCompletionSchema,
        ...answer,
      }),
    },
    async ({ account, params: { id }, body }) => {
      const { upload, file } = await uploads.complete(account, id, body);
      return toUploadView(upload, file);
    },
  );

  app.post(
    '/v1/uploads/:id/cancel',
    { config, schema: schema('Give an upload up, with its parts', { params, ...answer }) },
    async ({ account, params: { id } }) => toUploadView(await uploads.cancel(account, id)),
  );
};

function toUploadView(
  { _id: id, bytes, createdAt, expiresAt, filename, purpose, status }: UploadRecord,
  file?: FileRecord,
): UploadView {
  return {
    id,
    object: 'upload',
    bytes,
    created_at: unixSeconds(createdAt),
    expires_at: unixSeconds(expiresAt),
    filename,
    purpose,
    status,
    file: file ? toFileView(file) : null,
  };
}
