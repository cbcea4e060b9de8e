import { ExportListQuerySchema, ExportRequestSchema, JobListSchema, JobViewSchema } from '@aigolos/contracts';
import type { Jobs } from '@aigolos/jobs';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Answers } from '../../answers/answers.ts';
import { pageOf } from '../../answers/item-pages.ts';
import { toJobView } from '../../answers/job-view.ts';
import type { ReadSubmissionOptions } from '../../answers/submission-options.ts';
import { acceptedJob, problems } from '../shared-responses.ts';
import { createExports, type ExportsDeps } from './exports.service.ts';

export interface ExportRoutesDeps extends ExportsDeps {
  jobs: Jobs;
  answers: Answers;
  options: ReadSubmissionOptions;
}

/** It is streamed, so this only documents it. */
export const archiveContent = { 'application/zstd': { schema: z.file() } };
const archive = { description: 'The archive: a `.tar.zst`', content: archiveContent };
const params = z.object({ id: z.string() });

export const exportRoutes: FastifyPluginAsyncZod<ExportRoutesDeps> = async (
  app,
  { jobs, endpoints, answers, options },
) => {
  const exports = createExports({ jobs, endpoints });
  const config = { access: 'user', scope: 'exports' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['exports'],
    summary,
    ...fields,
  });

  app.post(
    '/v1/exports',
    {
      config,
      schema: schema('Export everything that the account has', {
        body: ExportRequestSchema,
        response: { 200: archive, 202: acceptedJob, ...problems },
      }),
    },
    async (request, reply) => {
      const submitted = await exports.submit(request.account, request.body, await options(request));
      return answers.submission(request, reply, submitted);
    },
  );

  app.get(
    '/v1/exports',
    {
      config,
      schema: schema('List exports, newest first', {
        querystring: ExportListQuerySchema,
        response: { 200: JobListSchema, ...problems },
      }),
    },
    async ({ account, query }) => {
      const { limit, after, status, order } = query;
      const page = await jobs.list({ account, limit, after, status, order, kind: 'export' });
      return pageOf(
        page.jobs.map((job) => toJobView(job)),
        page.hasMore,
      );
    },
  );

  app.get(
    '/v1/exports/:id',
    { config, schema: schema('One export, as a job', { params, response: { 200: JobViewSchema, ...problems } }) },
    async ({ account, params: { id } }, reply) => answers.job(reply, await exports.get(account, id)),
  );

  app.get(
    '/v1/exports/:id/content',
    { config, schema: schema('The archive of an export', { params, response: { 200: archive, ...problems } }) },
    async (request, reply) => {
      const { account, params } = request;
      const { id } = params;
      const { result } = await exports.get(account, id);
      if (result) reply.header('content-disposition', `attachment; filename="${id}.tar.zst"`);
      return answers.result(request, reply, id);
    },
  );
};
