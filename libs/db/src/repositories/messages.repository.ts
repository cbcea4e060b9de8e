import { type ChatMessage, newId } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type { ConversationRecord, MessageRecord } from '../models/conversation.model.ts';
import { byId } from './by-id.ts';

/** What was said in conversations. */
export interface MessagesRepository {
  /** The last messages, oldest first. */
  lastMessages(id: string, limit: number): Promise<MessageRecord[]>;
  /**
   * Writes the messages of one finished turn, once, however often it is called; none where the conversation is gone. Turns
   * must be written one after another.
   */
  appendTurn(turn: {
    conversation: string;
    account: string;
    job: string;
    messages: ChatMessage[];
    at: Date;
  }): Promise<void>;
  /** Writes messages that are of no turn after those that are there; none where the conversation is gone. */
  appendItems(
    conversation: Pick<ConversationRecord, '_id' | 'account'>,
    messages: ChatMessage[],
  ): Promise<MessageRecord[]>;
  /** In their order, or the last ones first; `after` is the place of the last one of the page before. */
  items(
    account: string,
    conversation: string,
    page: { limit: number; after?: number | undefined; order: 'asc' | 'desc' },
  ): Promise<MessageRecord[]>;
  /** How many messages stand in it: those that were deleted do not. */
  countMessages(account: string, conversation: string): Promise<number>;
  item(account: string, conversation: string, id: string): Promise<MessageRecord | undefined>;
  /** Takes away what was said; its place stays taken, so that a turn which is written again does not bring it back. */
  clearItem(account: string, conversation: string, id: string): Promise<boolean>;
  messageIds(conversation: string, limit: number): Promise<string[]>;
  deleteMessages(ids: string[]): Promise<number>;
}

const NOT_THERE = { $exists: false } as const;

export function createMessagesRepository(
  Conversation: Model<ConversationRecord>,
  Message: Model<MessageRecord>,
): MessagesRepository {
  /** At the end of its conversation, unless it is there. */
  async function append(message: Omit<MessageRecord, 'seq'>): Promise<void> {
    for (;;) {
      const { conversation, _id } = message;
      const last = await Message.findOne({ conversation }, { seq: 1 }).sort({ seq: -1 }).lean();
      try {
        return void (await Message.create({ ...message, seq: last ? last.seq + 1 : 0 }));
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        // Somebody else wrote this very message at this moment, or another one took the place.
        if (await Message.exists({ _id })) return;
      }
    }
  }

  return {
    async lastMessages(id, limit) {
      const newestFirst = await Message.find({ conversation: id, deletedAt: NOT_THERE })
        .sort({ seq: -1 })
        .limit(limit)
        .lean();
      return newestFirst.toReversed();
    },
    async appendTurn({ conversation, account, job, messages, at }) {
      const ids = messages.map((_, index) => messageId(job, index));
      const written = await Message.find({ _id: { $in: ids } }, { _id: 1 }).lean();
      for (const [index, message] of messages.entries()) {
        const _id = messageId(job, index);
        if (written.some((earlier) => earlier._id === _id)) continue;
        await append({ ...message, _id, conversation, account, job, createdAt: at });
      }
      // Whoever removes a conversation removes its record first: what was written after that goes by this, what before by that.
      if (await Conversation.exists({ _id: conversation })) return;
      await Message.deleteMany({ _id: { $in: ids } });
    },
    async appendItems({ _id: conversation, account }, messages) {
      const ids: string[] = [];
      for (const message of messages) {
        const _id = newId('message');
        await append({ ...message, _id, conversation, account, createdAt: new Date() });
        ids.push(_id);
      }
      if (!(await Conversation.exists({ _id: conversation }))) await Message.deleteMany({ _id: { $in: ids } });
      return Message.find({ _id: { $in: ids } })
        .sort({ seq: 1 })
        .lean();
    },
    items: (account, conversation, { limit, after, order }) =>
      Message.find({
        conversation,
        account,
        deletedAt: NOT_THERE,
        ...(after !== undefined && { seq: order === 'asc' ? { $gt: after } : { $lt: after } }),
      })
        .sort({ seq: order === 'asc' ? 1 : -1 })
        .limit(limit)
        .lean(),
    countMessages: (account, conversation) => Message.countDocuments({ conversation, account, deletedAt: NOT_THERE }),
    async item(account, conversation, id) {
      return (
        (await Message.findOne({
          ...byId<MessageRecord>(id, { conversation, account }),
          deletedAt: NOT_THERE,
        }).lean()) ?? undefined
      );
    },
    async clearItem(account, conversation, id) {
      const { matchedCount } = await Message.updateOne(
        { ...byId<MessageRecord>(id, { conversation, account }), deletedAt: NOT_THERE },
        { $set: { content: '', deletedAt: new Date() }, $unset: { toolCalls: 1, toolCallId: 1 } },
      );
      return matchedCount === 1;
    },
    async messageIds(conversation, limit) {
      const found = await Message.find({ conversation }, { _id: 1 }).limit(limit).lean();
      return found.map(({ _id }) => _id);
    },
    async deleteMessages(ids) {
      return (await Message.deleteMany({ _id: { $in: ids } })).deletedCount;
    },
  };
}

/** Derived from the job, so that writing a turn again finds what is there. */
function messageId(job: string, index: number): string {
  return `msg_${job}_${index}`;
}
