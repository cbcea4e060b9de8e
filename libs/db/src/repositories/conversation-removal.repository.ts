import type { Model } from 'mongoose';
import type { ConversationRecord } from '../models/conversation.model.ts';

/** What a removal has to know of a conversation. */
export type IdleConversation = Pick<
  ConversationRecord,
  '_id' | 'account' | 'createdAt' | 'nextTurn' | 'turnTakenAt' | 'messageCount'
>;

/** Conversations that are to go. */
export interface ConversationRemovalRepository {
  /** Conversations that nothing was said in since before then, longest ago first. */
  idle(filter: { idleSince: Date; account?: string | undefined }): AsyncIterable<IdleConversation>;
  /** Conversations whose time has come. */
  expiredBefore(time: Date): AsyncIterable<IdleConversation>;
  /** Takes it away from its readers and lets no turn begin any more; false where one was taken meanwhile. */
  close(conversation: Pick<ConversationRecord, '_id' | 'nextTurn'>): Promise<boolean>;
  /** The same, whatever turns were taken, and nobody else removes it; false where it is gone. */
  closeToErase(id: string): Promise<boolean>;
  /** In their order; `after` is the last one of the page before. */
  idsOf(account: string, page: { limit: number; after?: string | undefined }): Promise<string[]>;
  exists(id: string): Promise<boolean>;
  /** Removes the record; its messages follow. */
  delete(id: string): Promise<boolean>;
}

/** When a conversation ends that is being removed: no message moves this any more. */
export const CLOSED = new Date(0);
const READ_AT_ONCE = 500;
const IDLE_FIELDS = { account: 1, createdAt: 1, nextTurn: 1, turnTakenAt: 1, messageCount: 1 } as const;

export function createConversationRemovalRepository(
  Conversation: Model<ConversationRecord>,
): ConversationRemovalRepository {
  return {
    idle: ({ idleSince, account }) =>
      Conversation.find(
        {
          updatedAt: { $lt: idleSince },
          turnTakenAt: { $not: { $gte: idleSince } },
          ...(account !== undefined && { account }),
        },
        IDLE_FIELDS,
      )
        .sort({ updatedAt: 1, _id: 1 })
        .lean()
        .cursor({ batchSize: READ_AT_ONCE }),
    expiredBefore: (time) =>
      Conversation.find({ expiresAt: { $lte: time } }, IDLE_FIELDS)
        .lean()
        .cursor({ batchSize: READ_AT_ONCE }),
    async close({ _id, nextTurn }) {
      const open = { _id, nextTurn, erasing: { $ne: true } };
      const { matchedCount } = await Conversation.updateOne(open, { $set: { expiresAt: CLOSED } });
      return matchedCount === 1;
    },
    async closeToErase(id) {
      const { matchedCount } = await Conversation.updateOne(
        { _id: id },
        { $set: { expiresAt: CLOSED, erasing: true } },
      );
      return matchedCount === 1;
    },
    async idsOf(account, { limit, after }) {
      const found = await Conversation.find(
        { account, ...(after !== undefined && { _id: { $gt: after } }) },
        { _id: 1 },
      )
        .sort({ _id: 1 })
        .limit(limit)
        .lean();
      return found.map(({ _id }) => _id);
    },
    async exists(id) {
      return (await Conversation.exists({ _id: id })) !== null;
    },
    async delete(id) {
      return (await Conversation.deleteOne({ _id: id })).deletedCount === 1;
    },
  };
}
