import {
  BatchViewSchema,
  ChatCompletionSchema,
  JobDeletedSchema,
  JobListQuerySchema,
  JobListSchema,
  JobStreamEventSchema,
  JobViewSchema,
  LIMITS,
  ResponseViewSchema,
  SpeechTimingsViewSchema,
  VoiceTurnSchema,
} from '@aigolos/contracts';
import type { Jobs } from '@aigolos/jobs';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Answers } from '../../answers/answers.ts';
import { parseEventId } from '../../answers/event-position.ts';
import { heldOpenSignal, waitPatiently } from '../../answers/held-open.ts';
import { pageOf } from '../../answers/item-pages.ts';
import { toJobView } from '../../answers/job-view.ts';
import { sendEvents } from '../../answers/server-sent-events.ts';
import { assertScope } from '../../plugins/grants.ts';
import { awaitDeletion } from '../erasures/deletion.ts';
import type { Erasures } from '../erasures/erasures.service.ts';
import { archiveContent } from '../exports/exports.routes.ts';
import { eventsOf, problems } from '../shared-responses.ts';
import { audioContent } from '../speech/speech.routes.ts';
import { textContent, transcriptContent } from '../transcriptions/transcriptions.routes.ts';
import { jobEvents, knowsTheEnd } from './job-events.ts';
import { metadataFilter } from './metadata-filter.ts';

export interface JobRoutesDeps {
  jobs: Jobs;
  answers: Answers;
  erasures: Pick<Erasures, 'deleteJob'>;
  stopping: AbortSignal;
}

const params = z.object({ id: z.string() });
const WaitQuerySchema = z.object({
  wait: z.coerce
    .number()
    .min(0)
    .max(LIMITS.waitSeconds)
    .default(0)
    .describe('Seconds to hold the request open until the job ends'),
});

export const jobRoutes: FastifyPluginAsyncZod<JobRoutesDeps> = async (app, { jobs, answers, erasures, stopping }) => {
  const config = { access: 'user', scope: 'jobs:read' } as const;
  const writing = { access: 'user', scope: 'jobs:write' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({ tags: ['jobs'], summary, ...fields });

  app.get(
    '/v1/jobs',
    {
      config,
      schema: schema('List jobs, newest first; `metadata[key]=value` picks those with such a pair', {
        querystring: JobListQuerySchema,
        response: { 200: JobListSchema, ...problems },
      }),
    },
    async ({ account, query }) => {
      const { limit, after, kind, status, order } = query;
      const metadata = metadataFilter(query);
      const page = await jobs.list({ account, limit, after, kind, status, order, metadata });
      return pageOf(
        page.jobs.map((job) => toJobView(job)),
        page.hasMore,
      );
    },
  );

  app.get(
    '/v1/jobs/:id',
    {
      config,
      schema: schema('One job, at once or when it has ended', {
        params,
        querystring: WaitQuerySchema,
        response: { 200: JobViewSchema, ...problems },
      }),
    },
    async (request, reply) => {
      const { account, params, query } = request;
      if (query.wait === 0) return answers.job(reply, await jobs.poll(account, params.id));
      const job = await jobs.get(account, params.id);
      const limit = AbortSignal.timeout(Math.round(query.wait * 1_000));
      const signal = AbortSignal.any([limit, heldOpenSignal(reply, stopping)]);
      const seen = await waitPatiently(jobs, job, signal);
      request.keyRefused.throwIfAborted();
      return answers.job(reply, seen);
    },
  );

  app.post(
    '/v1/jobs/:id/cancel',
    {
      config: writing,
      schema: schema('Cancel a job; harmless after its end', { params, response: { 200: JobViewSchema, ...problems } }),
    },
    async (request, reply) => answers.job(reply, await jobs.cancel(request.account, request.params.id)),
  );

  app.get(
    '/v1/jobs/:id/events',
    {
      config,
      schema: schema('What happens to a job, as server-sent events, up to its end', {
        params,
        headers: z.looseObject({
          'last-event-id': z
            .string()
            .optional()
            .describe('Id of the last event that was read: it goes on after that one'),
        }),
        response: {
          200: {
            description: 'Each event has an id, and ends a job at most once',
            content: { 'text/event-stream': eventsOf(JobStreamEventSchema) },
          },
          204: z.null().describe('The last event was read already: there will be no more'),
          ...problems,
        },
      }),
    },
    async (request, reply) => {
      const job = await jobs.get(request.account, request.params.id);
      const after = parseEventId(request.headers['last-event-id']);
      if (knowsTheEnd(after, job)) return reply.code(204).send(null);
      const signal = heldOpenSignal(reply, stopping);
      return sendEvents(reply, jobEvents(jobs, job, { after, signal, log: request.log }));
    },
  );

  app.get(
    '/v1/jobs/:id/result',
    {
      config,
      schema: schema('What the synchronous call would have answered', {
        params,
        response: {
          200: {
            description: 'As the kind of the job and its request ask for',
            content: {
              'application/json': {
                schema: z.union([
                  ChatCompletionSchema,
                  ResponseViewSchema,
                  transcriptContent,
                  SpeechTimingsViewSchema,
                  VoiceTurnSchema,
                  BatchViewSchema,
                ]),
              },
              ...textContent,
              ...audioContent,
              ...archiveContent,
            },
          },
          ...problems,
        },
      }),
    },
    async (request, reply) => {
      const { account, grant, params } = request;
      // An archive has more in it than jobs.
      if (!grant.scopes.includes('exports') && (await jobs.poll(account, params.id)).kind === 'export') {
        assertScope(grant, 'exports');
      }
      return answers.result(request, reply, params.id);
    },
  );

  app.delete(
    '/v1/jobs/:id',
    {
      config: writing,
      schema: schema('Erase a job that has ended, and its files', {
        params,
        response: { 200: JobDeletedSchema, 202: JobDeletedSchema, ...problems },
      }),
    },
    async ({ account, params: { id } }, reply) => {
      const { status, fields } = await awaitDeletion(reply, stopping, (until) =>
        erasures.deleteJob(account, id, until),
      );
      return reply.code(status).send({ id, object: 'job.deleted' as const, ...fields });
    },
  );
};
