import {
  ApiKeyCreatedSchema,
  ApiKeyListQuerySchema,
  ApiKeyListSchema,
  ApiKeyRequestSchema,
  ApiKeyViewSchema,
} from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { pageOf } from '../../answers/item-pages.ts';
import { problems } from '../shared-responses.ts';
import { toApiKeyView } from './api-key-view.ts';
import { type ApiKeysDeps, createApiKeys } from './api-keys.service.ts';

const params = z.object({ id: z.string() });
/** No cache on the way may keep a key. */
const UNCACHED = { 'cache-control': 'no-store' };

export const apiKeyRoutes: FastifyPluginAsyncZod<ApiKeysDeps> = async (app, deps) => {
  const apiKeys = createApiKeys(deps);
  const config = { access: 'user', scope: 'api_keys' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['api keys'],
    summary,
    ...fields,
  });
  const one = { 200: ApiKeyViewSchema, ...problems };

  app.post(
    '/v1/api_keys',
    {
      config,
      schema: schema('Make an API key; it is shown this once', {
        body: ApiKeyRequestSchema,
        response: { 201: ApiKeyCreatedSchema, ...problems },
      }),
    },
    async (request, reply) => {
      const { key, record } = await apiKeys.create(request, request.body);
      return reply
        .code(201)
        .headers({ ...UNCACHED, location: `/v1/api_keys/${record._id}` })
        .send({ ...toApiKeyView(record), key });
    },
  );

  app.get(
    '/v1/api_keys',
    {
      config,
      schema: schema('List API keys, newest first', {
        querystring: ApiKeyListQuerySchema,
        response: { 200: ApiKeyListSchema, ...problems },
      }),
    },
    async (request) => {
      const { keys, hasMore } = await apiKeys.list(request, request.query);
      return pageOf(keys.map(toApiKeyView), hasMore);
    },
  );

  app.get('/v1/api_keys/:id', { config, schema: schema('One API key', { params, response: one }) }, async (request) =>
    toApiKeyView(await apiKeys.get(request, request.params.id)),
  );

  app.delete(
    '/v1/api_keys/:id',
    {
      config,
      schema: schema('Revoke an API key: what is open with it ends within seconds', { params, response: one }),
    },
    async (request) => toApiKeyView(await apiKeys.revoke(request, request.params.id)),
  );
};
