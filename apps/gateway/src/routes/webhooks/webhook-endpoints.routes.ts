import {
  SecretRotationSchema,
  WebhookEndpointCreatedSchema,
  WebhookEndpointDeletedSchema,
  WebhookEndpointListSchema,
  WebhookEndpointPatchSchema,
  WebhookEndpointRequestSchema,
  WebhookEndpointViewSchema,
  WebhookListQuerySchema,
  WebhookSecretSchema,
} from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { pageOf } from '../../answers/item-pages.ts';
import { problems } from '../shared-responses.ts';
import type { WebhookEndpoints } from './webhook-endpoints.service.ts';
import { toEndpointView, toSecretView } from './webhook-views.ts';

export interface WebhookEndpointRoutesDeps {
  endpoints: WebhookEndpoints;
}

const params = z.object({ id: z.string() });
/** No cache on the way may keep a secret. */
const UNCACHED = { 'cache-control': 'no-store' };

export const webhookEndpointRoutes: FastifyPluginAsyncZod<WebhookEndpointRoutesDeps> = async (app, { endpoints }) => {
  const config = { access: 'user', scope: 'webhooks' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['webhooks'],
    summary,
    ...fields,
  });

  app.post(
    '/v1/webhook_endpoints',
    {
      config,
      schema: schema('Be called back when jobs end', {
        body: WebhookEndpointRequestSchema,
        response: { 201: WebhookEndpointCreatedSchema, ...problems },
      }),
    },
    async ({ account, body }, reply) => {
      const endpoint = await endpoints.create(account, body);
      return reply
        .code(201)
        .headers({ ...UNCACHED, location: `/v1/webhook_endpoints/${endpoint._id}` })
        .send({ ...toEndpointView(endpoint), secret: endpoint.secrets.current });
    },
  );

  app.get(
    '/v1/webhook_endpoints',
    {
      config,
      schema: schema('List webhook endpoints, newest first', {
        querystring: WebhookListQuerySchema,
        response: { 200: WebhookEndpointListSchema, ...problems },
      }),
    },
    async ({ account, query }) => {
      const page = await endpoints.list(account, query);
      return pageOf(page.endpoints.map(toEndpointView), page.hasMore);
    },
  );

  app.get(
    '/v1/webhook_endpoints/:id',
    {
      config,
      schema: schema('One webhook endpoint', { params, response: { 200: WebhookEndpointViewSchema, ...problems } }),
    },
    async ({ account, params: { id } }) => toEndpointView(await endpoints.get(account, id)),
  );

  app.patch(
    '/v1/webhook_endpoints/:id',
    {
      config,
      schema: schema('Change a webhook endpoint; pause it, or use it again', {
        params,
        body: WebhookEndpointPatchSchema,
        response: { 200: WebhookEndpointViewSchema, ...problems },
      }),
    },
    async ({ account, params: { id }, body }) => toEndpointView(await endpoints.update(account, id, body)),
  );

  app.delete(
    '/v1/webhook_endpoints/:id',
    {
      config,
      schema: schema('Delete a webhook endpoint; what waits for it is dropped', {
        params,
        response: { 200: WebhookEndpointDeletedSchema, ...problems },
      }),
    },
    async ({ account, params: { id } }) => {
      await endpoints.remove(account, id);
      return { id, object: 'webhook_endpoint.deleted' as const, deleted: true as const };
    },
  );

  app.post(
    '/v1/webhook_endpoints/:id/rotate_secret',
    {
      config,
      schema: schema('Give a webhook endpoint a new secret, beside which the old one signs for a while', {
        params,
        body: SecretRotationSchema,
        response: { 200: WebhookSecretSchema, ...problems },
      }),
    },
    async ({ account, params: { id }, body }, reply) =>
      reply.headers(UNCACHED).send(toSecretView(await endpoints.rotateSecret(account, id, body.overlap_seconds))),
  );

  app.post(
    '/v1/account/rotate_webhook_secret',
    {
      config,
      schema: schema('Make a new secret for webhooks to URLs that jobs name (X-Webhook-Url)', {
        body: SecretRotationSchema,
        response: { 200: WebhookSecretSchema, ...problems },
      }),
    },
    async ({ account, body }, reply) =>
      reply.headers(UNCACHED).send(toSecretView(await endpoints.rotateAccountSecret(account, body.overlap_seconds))),
  );
};
