import {
  ConversationDeletedSchema,
  type ConversationView,
  ConversationViewSchema,
  NotFoundError,
} from '@aigolos/contracts';
import type { ConversationRecord, Database } from '@aigolos/db';
import { cacheScope, type ReadCache } from '@aigolos/queue';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { heldOpenSignal } from '../../answers/held-open.ts';
import { unixSeconds } from '../../answers/job-view.ts';
import { deletedBy } from '../erasures/erasure-view.ts';
import { ERASURE_WAIT_MS } from '../erasures/erasures.routes.ts';
import type { Erasures } from '../erasures/erasures.service.ts';
import { openAIErrors } from '../shared-responses.ts';

export interface ConversationRoutesDeps {
  cache: Pick<ReadCache, 'read'>;
  conversations: Pick<Database['conversations'], 'findOwned'>;
  erasures: Pick<Erasures, 'deleteConversation'>;
  stopping: AbortSignal;
}

const params = z.object({ id: z.string() });

export const conversationRoutes: FastifyPluginAsyncZod<ConversationRoutesDeps> = async (app, deps) => {
  const { conversations, cache, erasures, stopping } = deps;
  const config = { access: 'user' } as const;
  const schema = <Fields extends object>(summary: string, fields: Fields) => ({
    tags: ['conversations'],
    summary,
    ...fields,
  });

  app.get(
    '/v1/conversations/:id',
    {
      config,
      schema: schema('A conversation', { params, response: { 200: ConversationViewSchema, ...openAIErrors } }),
    },
    async ({ account, params: { id } }) => {
      const find = () => conversations.findOwned(account, id);
      const conversation = await cache.read([cacheScope.conversation(id)], `conversation:${account}:${id}`, find);
      // Its time may have come since it was read.
      if (!conversation || (conversation.expiresAt && conversation.expiresAt <= new Date())) {
        throw new NotFoundError(`There is no conversation ${id}.`, { code: 'CONVERSATION_NOT_FOUND', param: 'id' });
      }
      return toConversationView(conversation);
    },
  );

  app.delete(
    '/v1/conversations/:id',
    {
      config,
      schema: schema('Erase a conversation, its messages, its jobs and their files', {
        params,
        response: { 200: ConversationDeletedSchema, 202: ConversationDeletedSchema, ...openAIErrors },
      }),
    },
    async ({ account, params: { id } }, reply) => {
      const until = AbortSignal.any([heldOpenSignal(reply, stopping), AbortSignal.timeout(ERASURE_WAIT_MS)]);
      const erasure = await erasures.deleteConversation(account, id, until);
      return reply.code(erasure.result ? 200 : 202).send({
        id,
        object: 'conversation.deleted' as const,
        deleted: true as const,
        ...deletedBy(erasure),
      });
    },
  );
};

function toConversationView(conversation: ConversationRecord): ConversationView {
  const { _id: id, createdAt, updatedAt, messageCount, expiresAt } = conversation;
  return {
    id,
    object: 'conversation',
    created_at: unixSeconds(createdAt),
    metadata: {},
    updated_at: unixSeconds(updatedAt),
    message_count: messageCount,
    expires_at: expiresAt ? unixSeconds(expiresAt) : null,
  };
}
