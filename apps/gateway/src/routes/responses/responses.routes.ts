import {
  ItemListQuerySchema,
  ItemListSchema,
  ResponseDeletedSchema,
  ResponseEventSchema,
  ResponseQuerySchema,
  ResponseRequestSchema,
  ResponseViewSchema,
} from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Answers } from '../../answers/answers.ts';
import { warnOfInclude } from '../../answers/include.ts';
import { toResponse } from '../../answers/response-view.ts';
import type { ReadSubmissionOptions } from '../../answers/submission-options.ts';
import { awaitDeletion } from '../erasures/deletion.ts';
import { acceptedJob, openAIErrors } from '../shared-responses.ts';
import { createResponses, type ResponsesDeps } from './responses.service.ts';

export interface ResponseRoutesDeps extends ResponsesDeps {
  answers: Answers;
  options: ReadSubmissionOptions;
  stopping: AbortSignal;
}

const params = z.object({ id: z.string() });
const ONE = '/v1/responses/:id';
const whole = {
  description: 'The response, or its events',
  content: {
    'application/json': { schema: ResponseViewSchema },
    'text/event-stream': { schema: ResponseEventSchema },
  },
};

export const responseRoutes: FastifyPluginAsyncZod<ResponseRoutesDeps> = async (app, deps) => {
  const { answers, options, stopping } = deps;
  const responses = createResponses(deps);
  const config = { access: 'user', scope: 'responses' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['responses'],
    summary,
    ...fields,
  });

  app.post(
    '/v1/responses',
    {
      config: { ...config, makesWork: 'llm' },
      schema: schema('Answer an input; as server-sent events with `stream`, without waiting with `background`', {
        body: ResponseRequestSchema,
        response: { 200: whole, 202: acceptedJob, ...openAIErrors },
      }),
    },
    async (request, reply) => {
      const submitted = await responses.submit(request.account, request.body, await options(request));
      if (request.body.stream) return answers.responseStream(request, reply, submitted);
      if (!request.body.background) return answers.submission(request, reply, submitted);
      return reply.header('x-job-id', submitted.job._id).send(toResponse(submitted.job));
    },
  );

  app.get(
    ONE,
    {
      config,
      schema: schema('A response; its events with `stream`, after any of them', {
        params,
        querystring: ResponseQuerySchema,
        response: { 200: whole, ...openAIErrors },
      }),
    },
    async (request, reply) => {
      const { account, params, query } = request;
      warnOfInclude(reply, query);
      const job = await responses.get(account, params.id);
      if (!query.stream) return reply.send(toResponse(job));
      return answers.responseStream(request, reply, { job, replayed: false }, { startingAfter: query.starting_after });
    },
  );

  app.post(
    `${ONE}/cancel`,
    {
      config,
      schema: schema('Cancel a response; harmless after its end', {
        params,
        response: { 200: ResponseViewSchema, ...openAIErrors },
      }),
    },
    async ({ account, params: { id } }) => toResponse(await responses.cancel(account, id)),
  );

  app.get(
    `${ONE}/input_items`,
    {
      config,
      schema: schema('What a response answers, newest first', {
        params,
        querystring: ItemListQuerySchema,
        response: { 200: ItemListSchema, ...openAIErrors },
      }),
    },
    async ({ account, params: { id }, query }, reply) => {
      warnOfInclude(reply, query);
      return responses.inputItems(account, id, query);
    },
  );

  app.delete(
    ONE,
    {
      config,
      schema: schema('Erase a response that has ended', {
        params,
        response: { 200: ResponseDeletedSchema, 202: ResponseDeletedSchema, ...openAIErrors },
      }),
    },
    async ({ account, params: { id } }, reply) => {
      const { status, fields } = await awaitDeletion(reply, stopping, (until) => responses.delete(account, id, until));
      return reply.code(status).send({ id, object: 'response' as const, ...fields });
    },
  );
};
