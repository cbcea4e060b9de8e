import {
  MODEL_ALIASES,
  type ModelInfo,
  ModelListSchema,
  type ModelView,
  ModelViewSchema,
  NotFoundError,
  VoiceListSchema,
} from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { unixSeconds } from '../../answers/job-view.ts';
import type { AnnouncedModel, ModelDirectory } from '../../catalogue/model-directory.ts';
import { openAIErrors } from '../shared-responses.ts';

export const modelRoutes: FastifyPluginAsyncZod<{ models: ModelDirectory }> = async (app, { models }) => {
  const config = { access: 'user', scope: 'any' } as const;

  app.get(
    '/v1/models',
    {
      config,
      schema: { tags: ['models'], summary: 'List models', response: { 200: ModelListSchema, ...openAIErrors } },
    },
    async () => ({ object: 'list' as const, data: (await models.list()).map(toView) }),
  );

  app.get(
    '/v1/models/:id',
    {
      config,
      schema: {
        tags: ['models'],
        summary: 'One model, by its id or an alias',
        params: z.object({ id: z.string() }),
        response: { 200: ModelViewSchema, ...openAIErrors },
      },
    },
    async ({ params }) => toView(findByName(await models.list(), params.id)),
  );

  app.get(
    '/v1/audio/voices',
    {
      config,
      schema: { tags: ['audio'], summary: 'List voices', response: { 200: VoiceListSchema, ...openAIErrors } },
    },
    async () => ({
      voices: (await models.list()).flatMap(({ id: model, voices }) => voices.map((voice) => ({ ...voice, model }))),
    }),
  );
};

function toView({
  id,
  kind,
  isDefault,
  languages,
  license,
  capabilities = [],
  announcedAt,
}: AnnouncedModel): ModelView {
  return {
    id,
    object: 'model',
    created: unixSeconds(announcedAt),
    owned_by: 'aigolos',
    kind,
    is_default: isDefault,
    languages,
    license,
    capabilities,
  };
}

function findByName<Model extends ModelInfo>(models: Model[], name: string): Model {
  const found =
    models.find(({ id }) => id === name) ??
    models.find(({ kind, isDefault }) => isDefault && kind === MODEL_ALIASES[name]);
  if (found) return found;
  const ids = models.map(({ id }) => id).join(', ') || 'none yet';
  throw new NotFoundError(`There is no model "${name}". Models here: ${ids}.`, {
    code: 'MODEL_NOT_FOUND',
    param: 'id',
  });
}
