import { type ChatMessage, newId } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import type { ConversationRecord, MessageRecord } from '../models/conversation.model.ts';

export interface ConversationsRepository {
  create(account: string): Promise<ConversationRecord>;
  findOwned(account: string, id: string): Promise<ConversationRecord | undefined>;
  /** Gives each caller a turn of its own, in order. */
  takeTurn(id: string): Promise<number>;
  /** The last messages, oldest first. */
  lastMessages(id: string, limit: number): Promise<MessageRecord[]>;
  /** Writes the messages of one finished turn, once, however often it is called. Turns must be written one after another. */
  appendTurn(turn: {
    conversation: string;
    account: string;
    job: string;
    messages: ChatMessage[];
    at: Date;
  }): Promise<void>;
  /** A message is there: moves `updatedAt` and the count forward, never back. */
  noteMessage(message: Pick<MessageRecord, 'conversation' | 'seq' | 'createdAt'>): Promise<void>;
  idsOf(account: string, limit: number): Promise<string[]>;
  /** Removes the record; its messages follow. */
  delete(id: string): Promise<boolean>;
  messageIds(conversation: string, limit: number): Promise<string[]>;
  deleteMessages(ids: string[]): Promise<number>;
}

export function createConversationsRepository(
  Conversation: Model<ConversationRecord>,
  Message: Model<MessageRecord>,
): ConversationsRepository {
  return {
    async create(account) {
      const now = new Date();
      const record = {
        _id: newId('conversation'),
        account,
        nextTurn: 0,
        messageCount: 0,
        createdAt: now,
        updatedAt: now,
      };
      await Conversation.create(record);
      return record;
    },
    async findOwned(account, id) {
      return (await Conversation.findOne({ _id: id, account }).lean()) ?? undefined;
    },

    async takeTurn(id) {
      for (;;) {
        const conversation = await Conversation.findOne({ _id: id }, { nextTurn: 1 }).lean().orFail();
        const { nextTurn } = conversation;
        const taken = await Conversation.updateOne({ _id: id, nextTurn }, { $set: { nextTurn: nextTurn + 1 } });
        if (taken.matchedCount === 1) return nextTurn;
      }
    },

    async lastMessages(id, limit) {
      const newestFirst = await Message.find({ conversation: id }).sort({ seq: -1 }).limit(limit).lean();
      return newestFirst.toReversed();
    },

    async appendTurn({ conversation, account, job, messages, at }) {
      const written = await Message.find({ _id: { $in: messages.map((_, index) => messageId(job, index)) } }).lean();
      const last = await Message.findOne({ conversation }, { seq: 1 }).sort({ seq: -1 }).lean();
      const first = written.find(({ _id }) => _id === messageId(job, 0))?.seq ?? (last ? last.seq + 1 : 0);
      for (const [index, { role, content }] of messages.entries()) {
        const _id = messageId(job, index);
        if (written.some((message) => message._id === _id)) continue;
        await Message.create({ _id, conversation, account, seq: first + index, role, content, job, createdAt: at });
      }
    },

    async noteMessage({ conversation, seq, createdAt }) {
      await Conversation.updateOne({ _id: conversation }, { $max: { updatedAt: createdAt, messageCount: seq + 1 } });
    },

    async idsOf(account, limit) {
      const found = await Conversation.find({ account }, { _id: 1 }).limit(limit).lean();
      return found.map(({ _id }) => _id);
    },
    async delete(id) {
      return (await Conversation.deleteOne({ _id: id })).deletedCount === 1;
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
