import { type ChatMessage, newId } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type { ConversationRecord, MessageRecord } from '../models/conversation.model.ts';

export interface ConversationsRepository {
  /** With a lifetime its first turn, which is turn 0, is taken with it. */
  create(account: string, firstTurn?: { retentionSeconds: number | null }): Promise<ConversationRecord>;
  /** Without a turn, and kept for so long from now. */
  begin(
    account: string,
    terms: { retentionSeconds: number | null; metadata: Record<string, string> },
  ): Promise<ConversationRecord>;
  setMetadata(id: string, metadata: Record<string, string>): Promise<void>;
  /** Nothing where it is another account's, or its time has come. */
  findOwned(account: string, id: string): Promise<ConversationRecord | undefined>;
  /**
   * Gives each caller a turn of its own, in order, and moves the conversation's end; nothing where it is gone. It is kept
   * for `wanted` after its last turn from now on; without that as long as before, or, at its first turn, for `otherwise`.
   */
  takeTurn(
    id: string,
    lifetime: { wanted?: number | null | undefined; otherwise: number | null },
  ): Promise<TakenTurn | undefined>;
  /** Undoes that, for a turn of which nothing came; where a later one was taken its number stays unused, which is harmless. */
  giveBackTurn(id: string, taken: TakenTurn): Promise<void>;
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
    conversation: string,
    page: { limit: number; after?: number | undefined; order: 'asc' | 'desc' },
  ): Promise<MessageRecord[]>;
  /** How many messages stand in it: those that were deleted do not. */
  countMessages(conversation: string): Promise<number>;
  item(conversation: string, id: string): Promise<MessageRecord | undefined>;
  /** Takes away what was said; its place stays taken, so that a turn which is written again does not bring it back. */
  clearItem(conversation: string, id: string): Promise<boolean>;
  /** A message is there: moves `updatedAt`, `expiresAt` and the number of places forward, never back. */
  noteMessage(message: Pick<MessageRecord, 'conversation' | 'seq' | 'createdAt'>): Promise<void>;
  /** In their order; `after` is the last one of the page before. */
  idsOf(account: string, page: { limit: number; after?: string | undefined }): Promise<string[]>;
  /** Conversations that nothing was said in since before then, longest ago first. */
  idle(filter: { idleSince: Date; account?: string | undefined }): AsyncIterable<IdleConversation>;
  /** Conversations whose time has come. */
  expiredBefore(time: Date): AsyncIterable<IdleConversation>;
  /** Takes it away from its readers and lets no turn begin any more; false where one was taken meanwhile. */
  close(conversation: Pick<ConversationRecord, '_id' | 'nextTurn'>): Promise<boolean>;
  /** The same, whatever turns were taken, and nobody else removes it; false where it is gone. */
  closeToErase(id: string): Promise<boolean>;
  exists(id: string): Promise<boolean>;
  /** Removes the record; its messages follow. */
  delete(id: string): Promise<boolean>;
  messageIds(conversation: string, limit: number): Promise<string[]>;
  deleteMessages(ids: string[]): Promise<number>;
}

export interface TakenTurn {
  turn: number;
  retentionSeconds: number | null;
  /** How long it was kept before; undefined at its first turn. */
  retentionSecondsBefore: number | null | undefined;
}

/** What a removal has to know of a conversation. */
export type IdleConversation = Pick<
  ConversationRecord,
  '_id' | 'account' | 'createdAt' | 'nextTurn' | 'turnTakenAt' | 'messageCount'
>;

/** When a conversation ends that is being removed: no message moves this any more. */
const CLOSED = new Date(0);
const NOT_THERE = { $exists: false } as const;
const READ_AT_ONCE = 500;
const IDLE_FIELDS = { account: 1, createdAt: 1, nextTurn: 1, turnTakenAt: 1, messageCount: 1 } as const;

export function createConversationsRepository(
  Conversation: Model<ConversationRecord>,
  Message: Model<MessageRecord>,
): ConversationsRepository {
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
    async create(account, firstTurn) {
      const now = new Date();
      const lifetime = firstTurn?.retentionSeconds;
      const record = {
        _id: newId('conversation'),
        account,
        nextTurn: firstTurn ? 1 : 0,
        messageCount: 0,
        createdAt: now,
        updatedAt: now,
        ...(lifetime !== undefined && { turnTakenAt: now, retentionSeconds: lifetime }),
        ...(typeof lifetime === 'number' && { expiresAt: later(now, lifetime) }),
      };
      await Conversation.create(record);
      return record;
    },
    async begin(account, { retentionSeconds, metadata }) {
      const now = new Date();
      const record: ConversationRecord = {
        _id: newId('conversation'),
        account,
        nextTurn: 0,
        messageCount: 0,
        metadata,
        createdAt: now,
        updatedAt: now,
        retentionSeconds,
        ...(retentionSeconds !== null && { expiresAt: later(now, retentionSeconds) }),
      };
      await Conversation.create(record);
      return record;
    },
    async setMetadata(id, metadata) {
      await Conversation.updateOne({ _id: id }, { $set: { metadata } });
    },
    async findOwned(account, id) {
      const open = { _id: id, account, expiresAt: { $not: { $lte: new Date() } } };
      return (await Conversation.findOne(open).lean()) ?? undefined;
    },

    async takeTurn(id, { wanted, otherwise }) {
      for (;;) {
        const now = new Date();
        const found = await Conversation.findOne({ _id: id }).lean();
        if (!found || (found.expiresAt && found.expiresAt <= now)) return undefined;
        const { nextTurn: turn, retentionSeconds: before } = found;
        const retentionSeconds = wanted !== undefined ? wanted : before !== undefined ? before : otherwise;
        const taken = { nextTurn: turn + 1, turnTakenAt: now, retentionSeconds };
        const { matchedCount } = await Conversation.updateOne(
          { _id: id, nextTurn: turn, expiresAt: { $not: { $lte: now } } },
          retentionSeconds === null
            ? { $set: taken, $unset: { expiresAt: 1 } }
            : { $set: { ...taken, expiresAt: later(now, retentionSeconds) } },
        );
        if (matchedCount === 1) return { turn, retentionSeconds, retentionSecondsBefore: before };
      }
    },

    async giveBackTurn(id, { turn, retentionSecondsBefore: before }) {
      const mine = { _id: id, nextTurn: turn + 1, expiresAt: { $ne: CLOSED } };
      const given = { nextTurn: turn, ...(before !== undefined && { retentionSeconds: before }) };
      if (before === undefined) await Conversation.updateOne(mine, { $set: given });
      else if (before === null) await Conversation.updateOne(mine, { $set: given, $unset: { expiresAt: 1 } });
      else await Conversation.updateOne(mine, { $set: { ...given, expiresAt: later(new Date(), before) } });
    },

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
    items: (conversation, { limit, after, order }) =>
      Message.find({
        conversation,
        deletedAt: NOT_THERE,
        ...(after !== undefined && { seq: order === 'asc' ? { $gt: after } : { $lt: after } }),
      })
        .sort({ seq: order === 'asc' ? 1 : -1 })
        .limit(limit)
        .lean(),
    countMessages: (conversation) => Message.countDocuments({ conversation, deletedAt: NOT_THERE }),
    async item(conversation, id) {
      return (await Message.findOne({ _id: id, conversation, deletedAt: NOT_THERE }).lean()) ?? undefined;
    },
    async clearItem(conversation, id) {
      const { matchedCount } = await Message.updateOne(
        { _id: id, conversation, deletedAt: NOT_THERE },
        { $set: { content: '', deletedAt: new Date() }, $unset: { toolCalls: 1, toolCallId: 1 } },
      );
      return matchedCount === 1;
    },

    async noteMessage({ conversation, seq, createdAt }) {
      for (;;) {
        const found = await Conversation.findOne({ _id: conversation }, { retentionSeconds: 1, expiresAt: 1 }).lean();
        if (!found || found.expiresAt?.getTime() === CLOSED.getTime()) return;
        const { retentionSeconds = null } = found;
        // A turn that changes the lifetime in between, or a removal that closes it, is met by the filter.
        const { matchedCount } = await Conversation.updateOne(
          { _id: conversation, retentionSeconds, expiresAt: { $ne: CLOSED } },
          {
            $max: {
              updatedAt: createdAt,
              messageCount: seq + 1,
              ...(retentionSeconds !== null && { expiresAt: later(createdAt, retentionSeconds) }),
            },
          },
        );
        if (matchedCount === 1) return;
      }
    },

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

function later(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1_000);
}
