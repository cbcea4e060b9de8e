import {
  ConversationDeletedSchema,
  ConversationRequestSchema,
  ConversationViewSchema,
  IncludeQuerySchema,
  ItemListQuerySchema,
  ItemListSchema,
  ItemsRequestSchema,
  ItemViewSchema,
  MetadataUpdateSchema,
} from '@aigolos/contracts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { warnOfInclude } from '../../answers/include.ts';
import { awaitDeletion } from '../erasures/deletion.ts';
import type { Erasures } from '../erasures/erasures.service.ts';
import { openAIErrors } from '../shared-responses.ts';
import { type ConversationsDeps, createConversations } from './conversations.service.ts';

export interface ConversationRoutesDeps extends ConversationsDeps {
  erasures: Pick<Erasures, 'deleteConversation'>;
  stopping: AbortSignal;
}

const params = z.object({ id: z.string() });
const itemParams = z.object({ id: z.string(), item: z.string() });
const ONE = '/v1/conversations/:id';
const ITEMS = `${ONE}/items`;

export const conversationRoutes: FastifyPluginAsyncZod<ConversationRoutesDeps> = async (app, deps) => {
  const { erasures, stopping } = deps;
  const conversations = createConversations(deps);
  const config = { access: 'user', scope: 'conversations' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['conversations'],
    summary,
    ...fields,
  });

  const found = { 200: ConversationViewSchema, ...openAIErrors };
  const list = { 200: ItemListSchema, ...openAIErrors };

  app.post(
    '/v1/conversations',
    { config, schema: schema('Begin a conversation', { body: ConversationRequestSchema.nullish(), response: found }) },
    async ({ account, body }) => conversations.begin(account, body ?? {}),
  );

  app.get(
    ONE,
    { config, schema: schema('A conversation', { params, response: found }) },
    async ({ account, params: { id } }) => conversations.get(account, id),
  );

  app.post(
    ONE,
    {
      config,
      schema: schema('Change the metadata of a conversation', {
        params,
        body: MetadataUpdateSchema,
        response: found,
      }),
    },
    async ({ account, params: { id }, body }) => conversations.setMetadata(account, id, body.metadata),
  );

  app.get(
    ITEMS,
    {
      config,
      schema: schema('What was said in a conversation, newest first', {
        params,
        querystring: ItemListQuerySchema,
        response: list,
      }),
    },
    async ({ account, params: { id }, query }, reply) => {
      warnOfInclude(reply, query);
      return conversations.items(account, id, query);
    },
  );

  app.post(
    ITEMS,
    {
      config,
      schema: schema('Add to what was said in a conversation', {
        params,
        querystring: IncludeQuerySchema,
        body: ItemsRequestSchema,
        response: list,
      }),
    },
    async ({ account, params: { id }, query, body }, reply) => {
      warnOfInclude(reply, query);
      return conversations.addItems(account, id, body.items);
    },
  );

  app.get(
    `${ITEMS}/:item`,
    {
      config,
      schema: schema('An item of a conversation', {
        params: itemParams,
        querystring: IncludeQuerySchema,
        response: { 200: ItemViewSchema, ...openAIErrors },
      }),
    },
    async ({ account, params: { id, item }, query }, reply) => {
      warnOfInclude(reply, query);
      return conversations.item(account, id, item);
    },
  );

  app.delete(
    `${ITEMS}/:item`,
    { config, schema: schema('Delete an item of a conversation', { params: itemParams, response: found }) },
    async ({ account, params: { id, item } }) => conversations.deleteItem(account, id, item),
  );

  app.delete(
    ONE,
    {
      config,
      schema: schema('Erase a conversation, its messages, its jobs and their files', {
        params,
        response: { 200: ConversationDeletedSchema, 202: ConversationDeletedSchema, ...openAIErrors },
      }),
    },
    async ({ account, params: { id } }, reply) => {
      const { status, fields } = await awaitDeletion(reply, stopping, (until) =>
        erasures.deleteConversation(account, id, until),
      );
      return reply.code(status).send({ id, object: 'conversation.deleted' as const, ...fields });
    },
  );
};
