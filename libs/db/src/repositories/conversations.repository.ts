import { newId } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import type { ConversationRecord, MessageRecord } from '../models/conversation.model.ts';
import { byId } from './by-id.ts';
import {
  CLOSED,
  type ConversationRemovalRepository,
  createConversationRemovalRepository,
} from './conversation-removal.repository.ts';
import { createMessagesRepository, type MessagesRepository } from './messages.repository.ts';
import { notYet } from './page.ts';

/** Conversations as they begin and go on, turn by turn. */
interface ConversationTurnsRepository {
  /** With a lifetime its first turn, which is turn 0, is taken with it. */
  create(account: string, firstTurn?: { retentionSeconds: number | null }): Promise<ConversationRecord>;
  /** Without a turn, and kept for so long from now. */
  begin(
    account: string,
    terms: { retentionSeconds: number | null; metadata: Record<string, string> },
  ): Promise<ConversationRecord>;
  setMetadata(account: string, id: string, metadata: Record<string, string>): Promise<void>;
  /** Nothing where it is another account's, or its time has come. */
  findOwned(account: string, id: string): Promise<ConversationRecord | undefined>;
  /**
   * Gives each caller a turn of its own, in order, and moves the conversation's end; nothing where it is gone. It is kept
   * for `wanted` after its last turn from now on; without that as long as before, or, at its first turn, for `otherwise`.
   */
  takeTurn(
    account: string,
    id: string,
    lifetime: { wanted?: number | null | undefined; otherwise: number | null },
  ): Promise<TakenTurn | undefined>;
  /** Undoes that, for a turn of which nothing came; where a later one was taken its number stays unused, which is harmless. */
  giveBackTurn(account: string, id: string, taken: TakenTurn): Promise<void>;
  /** A message is there: moves `updatedAt`, `expiresAt` and the number of places forward, never back. */
  noteMessage(message: Pick<MessageRecord, 'conversation' | 'seq' | 'createdAt'>): Promise<void>;
}

export type ConversationsRepository = ConversationTurnsRepository & MessagesRepository & ConversationRemovalRepository;

export interface TakenTurn {
  turn: number;
  retentionSeconds: number | null;
  /** How long it was kept before; undefined at its first turn. */
  retentionSecondsBefore: number | null | undefined;
}

export function createConversationsRepository(
  Conversation: Model<ConversationRecord>,
  Message: Model<MessageRecord>,
): ConversationsRepository {
  return {
    ...createMessagesRepository(Conversation, Message),
    ...createConversationRemovalRepository(Conversation),
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
    async setMetadata(account, id, metadata) {
      await Conversation.updateOne(byId<ConversationRecord>(id, { account }), { $set: { metadata } });
    },
    async findOwned(account, id) {
      const open = { ...byId<ConversationRecord>(id, { account }), expiresAt: notYet() };
      return (await Conversation.findOne(open).lean()) ?? undefined;
    },
    async takeTurn(account, id, { wanted, otherwise }) {
      for (;;) {
        const now = new Date();
        const found = await Conversation.findOne(byId<ConversationRecord>(id, { account })).lean();
        if (!found || (found.expiresAt && found.expiresAt <= now)) return undefined;
        const { nextTurn: turn, retentionSeconds: before } = found;
        const retentionSeconds = wanted !== undefined ? wanted : before !== undefined ? before : otherwise;
        const taken = { nextTurn: turn + 1, turnTakenAt: now, retentionSeconds };
        const { matchedCount } = await Conversation.updateOne(
          { ...byId<ConversationRecord>(id, { nextTurn: turn }), expiresAt: { $not: { $lte: now } } },
          retentionSeconds === null
            ? { $set: taken, $unset: { expiresAt: 1 } }
            : { $set: { ...taken, expiresAt: later(now, retentionSeconds) } },
        );
        if (matchedCount === 1) return { turn, retentionSeconds, retentionSecondsBefore: before };
      }
    },
    async giveBackTurn(account, id, { turn, retentionSecondsBefore: before }) {
      const mine = { ...byId<ConversationRecord>(id, { account, nextTurn: turn + 1 }), expiresAt: { $ne: CLOSED } };
      const given = { nextTurn: turn, ...(before !== undefined && { retentionSeconds: before }) };
      if (before === undefined) await Conversation.updateOne(mine, { $set: given });
      else if (before === null) await Conversation.updateOne(mine, { $set: given, $unset: { expiresAt: 1 } });
      else await Conversation.updateOne(mine, { $set: { ...given, expiresAt: later(new Date(), before) } });
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
  };
}

function later(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1_000);
}
