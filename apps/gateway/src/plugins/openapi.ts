import swagger from '@fastify/swagger';
import fp from 'fastify-plugin';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { describeEvents, OPENAPI_VERSION } from './described-events.ts';

interface Operation {
  requestBody?: { required: boolean };
  responses: Parameters<typeof describeEvents>[0];
}

/** Collects the schemas of all routes that are registered after it into one OpenAPI 3.2 document. */
export const openApi = fp(async (app) => {
  /** Operations whose body may be left out, such as `post /v1/exports`; the collector takes every body for required. */
  const withoutBody = new Set<string>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'AIGolos',
        version: '0.1.0',
        description:
          'Speech to text, chat and text to speech as OpenAI has them, where every call is a durable job too. ' +
          'Any POST that makes work takes `Prefer: respond-async`, `Prefer: wait=<seconds>`, `Idempotency-Key`, `X-Start-By`, `X-Finish-By`, ' +
          '`X-Priority`, `X-Metadata-<key>`, `X-Cancel-On-Disconnect`, `X-Webhook-Url` and `X-Retention: input=0, result=30d`.',
      },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
    },
    transform: (route) => {
      const { schema, url } = jsonSchemaTransform(route);
      const { body } = route.schema as { body?: unknown };
      if (body instanceof z.ZodType && body.safeParse(undefined).success) {
        for (const method of [route.route.method].flat()) withoutBody.add(`${method.toLowerCase()} ${url}`);
      }
      const { access, scope } = route.route.config ?? {};
      const scopes = scope === undefined || scope === 'any' ? [] : [scope];
      return { schema: { ...schema, security: access === 'public' ? [] : [{ apiKey: scopes }] }, url };
    },
    transformObject: (document) => {
      const description = jsonSchemaTransformObject(document) as { paths: Record<string, Record<string, Operation>> };
      for (const [path, operations] of Object.entries(description.paths)) {
        for (const [method, { requestBody, responses }] of Object.entries(operations)) {
          describeEvents(responses);
          if (requestBody && withoutBody.has(`${method} ${path}`)) requestBody.required = false;
        }
      }
      // The collector writes 3.1, which knows all else that stands here.
      return { ...description, openapi: OPENAPI_VERSION };
    },
  });
});
