import {
  AllDeliveriesQuerySchema,
  DeliveryListQuerySchema,
  ReplayRequestSchema,
  ReplaySchema,
  WebhookDeliveryListSchema,
  WebhookDeliveryViewSchema,
} from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { pageOf } from '../../answers/item-pages.ts';
import { problems } from '../shared-responses.ts';
import type { WebhookDeliveries } from './webhook-deliveries.service.ts';
import { toDeliveryView } from './webhook-views.ts';

export interface WebhookDeliveryRoutesDeps {
  deliveries: WebhookDeliveries;
}

const ofEndpoint = z.object({ id: z.string() });
const ofDelivery = z.object({ delivery: z.string() });
const sentAgain = { 202: WebhookDeliveryViewSchema, ...problems };

export const webhookDeliveryRoutes: FastifyPluginAsyncZod<WebhookDeliveryRoutesDeps> = async (app, { deliveries }) => {
  const config = { access: 'user', scope: 'webhooks' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['webhooks'],
    summary,
    ...fields,
  });

  app.post(
    '/v1/webhook_endpoints/:id/test',
    {
      config,
      schema: schema('Send an endpoint an event of type endpoint.test', { params: ofEndpoint, response: sentAgain }),
    },
    async ({ account, params: { id } }, reply) =>
      reply.code(202).send(toDeliveryView(await deliveries.test(account, id))),
  );

  app.get(
    '/v1/webhook_endpoints/:id/deliveries',
    {
      config,
      schema: schema('What was sent to an endpoint, newest first, with every attempt', {
        params: ofEndpoint,
        querystring: DeliveryListQuerySchema,
        response: { 200: WebhookDeliveryListSchema, ...problems },
      }),
    },
    async ({ account, params: { id }, query }) => {
      const page = await deliveries.list({ account, endpoint: id, ...query });
      return pageOf(page.deliveries.map(toDeliveryView), page.hasMore);
    },
  );

  app.post(
    '/v1/webhook_endpoints/:id/deliveries/:delivery/replay',
    {
      config,
      schema: schema('Send a delivery again', { params: ofEndpoint.extend(ofDelivery.shape), response: sentAgain }),
    },
    async ({ account, params: { id, delivery } }, reply) =>
      reply.code(202).send(toDeliveryView(await deliveries.replay(account, delivery, id))),
  );

  app.post(
    '/v1/webhook_endpoints/:id/replay',
    {
      config,
      schema: schema('Send an endpoint the events since a time again, under the same ids', {
        params: ofEndpoint,
        body: ReplayRequestSchema,
        response: { 202: ReplaySchema, ...problems },
      }),
    },
    async ({ account, params: { id }, body }, reply) => {
      const replayed = await deliveries.replaySince(account, id, body.since);
      return reply.code(202).send({ object: 'webhook_replay' as const, replayed });
    },
  );

  app.get(
    '/v1/webhook_deliveries',
    {
      config,
      schema: schema('What was sent to all endpoints and to URLs that jobs named, newest first', {
        querystring: AllDeliveriesQuerySchema,
        response: { 200: WebhookDeliveryListSchema, ...problems },
      }),
    },
    async ({ account, query }) => {
      const page = await deliveries.list({ account, ...query });
      return pageOf(page.deliveries.map(toDeliveryView), page.hasMore);
    },
  );

  app.post(
    '/v1/webhook_deliveries/:delivery/replay',
    { config, schema: schema('Send a delivery again, wherever it went', { params: ofDelivery, response: sentAgain }) },
    async ({ account, params: { delivery } }, reply) =>
      reply.code(202).send(toDeliveryView(await deliveries.replay(account, delivery))),
  );
};
