import {
  ChatCompletionSchema,
  ItemPageQuerySchema,
  MetadataUpdateSchema,
  StoredChatDeletedSchema,
  StoredChatListQuerySchema,
  StoredChatListSchema,
  StoredMessageListSchema,
} from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { awaitDeletion } from '../erasures/deletion.ts';
import { openAIErrors } from '../shared-responses.ts';
import { createStoredChats, type StoredChatsDeps } from './stored-chats.service.ts';

const params = z.object({ id: z.string() });
const ONE = '/v1/chat/completions/:id';

export const storedChatRoutes: FastifyPluginAsyncZod<StoredChatsDeps & { stopping: AbortSignal }> = async (
  app,
  { stopping, ...deps },
) => {
  const chats = createStoredChats(deps);
  const config = { access: 'user', scope: 'chat' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({ tags: ['chat'], summary, ...fields });
  const found = { 200: ChatCompletionSchema, ...openAIErrors };

  app.get(
    '/v1/chat/completions',
    {
      config,
      schema: schema('List stored completions, oldest first', {
        querystring: StoredChatListQuerySchema,
        response: { 200: StoredChatListSchema, ...openAIErrors },
      }),
    },
    async ({ account, query }) => chats.list(account, query),
  );

  app.get(
    ONE,
    { config, schema: schema('A stored completion', { params, response: found }) },
    async ({ account, params: { id } }) => chats.get(account, id),
  );

  app.get(
    `${ONE}/messages`,
    {
      config,
      schema: schema('What a stored completion answers', {
        params,
        querystring: ItemPageQuerySchema,
        response: { 200: StoredMessageListSchema, ...openAIErrors },
      }),
    },
    async ({ account, params: { id }, query }) => chats.messages(account, id, query),
  );

  app.post(
    ONE,
    {
      config,
      schema: schema('Change the metadata of a stored completion', {
        params,
        body: MetadataUpdateSchema,
        response: found,
      }),
    },
    async ({ account, params: { id }, body }) => chats.setMetadata(account, id, body.metadata),
  );

  app.delete(
    ONE,
    {
      config,
      schema: schema('Erase a stored completion', {
        params,
        response: { 200: StoredChatDeletedSchema, 202: StoredChatDeletedSchema, ...openAIErrors },
      }),
    },
    async ({ account, params: { id } }, reply) => {
      const { status, fields } = await awaitDeletion(reply, stopping, (until) => chats.delete(account, id, until));
      return reply.code(status).send({ id, object: 'chat.completion.deleted' as const, ...fields });
    },
  );
};
