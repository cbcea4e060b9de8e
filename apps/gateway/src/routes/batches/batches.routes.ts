import {
  type BatchEndpoint,
  BatchListQuerySchema,
  BatchListSchema,
  BatchRequestSchema,
  BatchViewSchema,
  type Scope,
} from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { toBatchView } from '../../answers/batch-view.ts';
import { openAIPageOf } from '../../answers/item-pages.ts';
import type { ReadSubmissionOptions } from '../../answers/submission-options.ts';
import { warningsHeader } from '../../answers/warnings-header.ts';
import { assertScope } from '../../plugins/grants.ts';
import { openAIErrors } from '../shared-responses.ts';
import { type BatchesDeps, createBatches } from './batches.service.ts';

const params = z.object({ id: z.string() });

/** A key has no line called that it may not call itself. */
const SCOPE_OF: Record<BatchEndpoint, Scope> = {
  '/v1/chat/completions': 'chat',
  '/v1/responses': 'responses',
  '/v1/audio/transcriptions': 'transcriptions',
  '/v1/audio/translations': 'transcriptions',
  '/v1/audio/speech': 'speech',
};

export const batchRoutes: FastifyPluginAsyncZod<BatchesDeps & { options: ReadSubmissionOptions }> = async (
  app,
  { options, ...deps },
) => {
  const batches = createBatches(deps);
  const config = { access: 'user', scope: 'batches' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['batches'],
    summary,
    ...fields,
  });
  const one = { 200: BatchViewSchema, ...openAIErrors };

  app.post(
    '/v1/batches',
    {
      config: { ...config, makesWork: 'batch' },
      schema: schema('Have each line of a file made a call', { body: BatchRequestSchema, response: one }),
    },
    async (request, reply) => {
      assertScope(request.grant, SCOPE_OF[request.body.endpoint]);
      const { job, replayed } = await batches.submit(request.account, request.body, await options(request));
      reply.header('x-job-id', job._id);
      if (replayed) reply.header('idempotent-replayed', 'true');
      const warnings = warningsHeader(job.warnings);
      if (warnings) reply.header('x-warnings', warnings);
      return toBatchView(job);
    },
  );

  app.get(
    '/v1/batches',
    {
      config,
      schema: schema('List batches, newest first', {
        querystring: BatchListQuerySchema,
        response: { 200: BatchListSchema, ...openAIErrors },
      }),
    },
    async ({ account, query }) => {
      const page = await batches.list(account, query);
      return openAIPageOf(page.batches.map(toBatchView), page.hasMore);
    },
  );

  app.get(
    '/v1/batches/:id',
    { config, schema: schema('One batch', { params, response: one }) },
    async ({ account, params: { id } }) => toBatchView(await batches.get(account, id)),
  );

  app.post(
    '/v1/batches/:id/cancel',
    {
      config,
      schema: schema('Cancel a batch; what is done by then is kept', { params, response: one }),
    },
    async ({ account, params: { id } }) => toBatchView(await batches.cancel(account, id)),
  );
};
