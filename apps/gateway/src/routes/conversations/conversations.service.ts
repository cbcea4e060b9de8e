import {
  type ConversationRequest,
  type ConversationView,
  type InputItem,
  type ItemPageQuery,
  type ItemView,
  NotFoundError,
  type RetentionOffer,
  resolveRetention,
} from '@aigolos/contracts';
import type { ConversationRecord, Database, MessageRecord, OwnedRecords } from '@aigolos/db';
import { cacheScope, type ReadCache } from '@aigolos/queue';
import { openAIPageOf, type Page } from '../../answers/item-pages.ts';
import { toItem, toMessage } from '../../answers/items.ts';
import { unixSeconds } from '../../answers/job-view.ts';

export interface ConversationsDeps {
  cache: Pick<ReadCache, 'read' | 'invalidate'>;
  conversations: OwnedRecords['conversations'];
  access: Pick<Database['access'], 'accountById'>;
  /** How long this installation keeps what. */
  retention: RetentionOffer;
}

/** Conversations and what was said in them. @throws NotFoundError of those that are gone, or another account's. */
export interface Conversations {
  begin(account: string, request: ConversationRequest): Promise<ConversationView>;
  get(account: string, id: string): Promise<ConversationView>;
  setMetadata(account: string, id: string, metadata: Record<string, string>): Promise<ConversationView>;
  /** The last ones first unless asked otherwise. */
  items(account: string, id: string, page: ItemPageQuery): Promise<Page<ItemView>>;
  /** After all that is there. */
  addItems(account: string, id: string, items: InputItem[]): Promise<Page<ItemView>>;
  item(account: string, id: string, item: string): Promise<ItemView>;
  deleteItem(account: string, id: string, item: string): Promise<ConversationView>;
}

export function createConversations({ conversations, cache, access, retention }: ConversationsDeps): Conversations {
  async function find(account: string, id: string): Promise<ConversationRecord> {
    const conversation = await conversations.findOwned(account, id);
    if (!conversation) throw noSuchConversation(id);
    return conversation;
  }

  /** As its owner sees it. What is counted may be newer than the record: both only follow what was written before. */
  async function view(account: string, id: string): Promise<ConversationView> {
    const conversation = await find(account, id);
    return toConversationView(conversation, await conversations.countMessages(account, id));
  }

  async function findItem(account: string, id: string, item: string): Promise<MessageRecord> {
    await find(account, id);
    const message = await conversations.item(account, id, item);
    if (message) return message;
    throw new NotFoundError(`There is no item ${item} in conversation ${id}.`, {
      code: 'ITEM_NOT_FOUND',
      param: 'item_id',
    });
  }

  return {
    async begin(account, { items, metadata }) {
      const settings = await access.accountById(account);
      const { conversation: retentionSeconds } = resolveRetention(retention, { account: settings?.retention });
      const begun = await conversations.begin(account, { retentionSeconds, metadata: metadata ?? {} });
      if (items?.length) await conversations.appendItems(begun, items.map(toMessage));
      return toConversationView(begun, items?.length ?? 0);
    },
    async get(account, id) {
      const read = () => view(account, id);
      const conversation = await cache.read([cacheScope.conversation(id)], `conversation-view:${account}:${id}`, read);
      // Its time may have come since it was read.
      if (conversation.expires_at !== null && conversation.expires_at * 1_000 <= Date.now())
        throw noSuchConversation(id);
      return conversation;
    },
    async setMetadata(account, id, metadata) {
      await find(account, id);
      await conversations.setMetadata(account, id, metadata);
      await cache.invalidate(cacheScope.conversation(id));
      return view(account, id);
    },
    async items(account, id, { limit, after, order = 'desc' }) {
      await find(account, id);
      const last = after === undefined ? undefined : (await findItem(account, id, after)).seq;
      const found = await conversations.items(account, id, { limit: limit + 1, after: last, order });
      return openAIPageOf(found.slice(0, limit).map(viewOf), found.length > limit);
    },
    async addItems(account, id, items) {
      const added = await conversations.appendItems(await find(account, id), items.map(toMessage));
      await cache.invalidate(cacheScope.conversation(id));
      return openAIPageOf(added.map(viewOf), false);
    },
    item: async (account, id, item) => viewOf(await findItem(account, id, item)),
    async deleteItem(account, id, item) {
      await findItem(account, id, item);
      await conversations.clearItem(account, id, item);
      await cache.invalidate(cacheScope.conversation(id));
      return view(account, id);
    },
  };
}

const viewOf = (message: MessageRecord): ItemView => toItem(message._id, message);

function noSuchConversation(id: string): NotFoundError {
  return new NotFoundError(`There is no conversation ${id}.`, { code: 'CONVERSATION_NOT_FOUND', param: 'id' });
}

function toConversationView(conversation: ConversationRecord, messageCount: number): ConversationView {
  const { _id: id, createdAt, updatedAt, metadata = {}, expiresAt } = conversation;
  return {
    id,
    object: 'conversation',
    created_at: unixSeconds(createdAt),
    metadata,
    updated_at: unixSeconds(updatedAt),
    message_count: messageCount,
    expires_at: expiresAt ? unixSeconds(expiresAt) : null,
  };
}
