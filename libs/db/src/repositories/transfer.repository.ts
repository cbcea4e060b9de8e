import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type { AccountRecord } from '../models/access.model.ts';
import type { ConversationRecord, MessageRecord } from '../models/conversation.model.ts';
import type { ErasureItemRecord } from '../models/erasure.model.ts';
import type { FileRecord } from '../models/file.model.ts';
import type { AnyJobRecord, JobRecord } from '../models/job.model.ts';
import type { WebhookEndpointRecord } from '../models/webhook.model.ts';

/** What leaves an installation in an export and comes in by an import. */
export interface TransferredRecords {
  account: AccountRecord;
  job: AnyJobRecord;
  conversation: ConversationRecord;
  message: MessageRecord;
  webhookEndpoint: WebhookEndpointRecord;
  file: FileRecord;
}
export type TransferredKind = keyof TransferredRecords;

/** A place in a conversation that only one record can have: a job's turn, a message's number. */
export interface ConversationPlace {
  _id: string;
  conversation: string;
  place: number;
}

/** Records as they are stored, to be copied out and in. A reader must not pause for long: the database forgets it then. */
export interface TransferRepository {
  /** All accounts, by their ids. */
  accounts(): AsyncIterable<AccountRecord>;
  /** All of an account's jobs, oldest first. */
  jobsOf(account: string): AsyncIterable<AnyJobRecord>;
  /** Oldest first. */
  webhookEndpointsOf(account: string): AsyncIterable<WebhookEndpointRecord>;
  /** Oldest first. */
  filesOf(account: string): AsyncIterable<FileRecord>;
  /** In the order of their ids. */
  conversationsOf(account: string): AsyncIterable<ConversationRecord>;
  /** As they follow each other. */
  messagesOf(conversation: string): AsyncIterable<MessageRecord>;
  /** Those of these ids that are there. */
  find<Kind extends TransferredKind>(kind: Kind, ids: string[]): Promise<TransferredRecords[Kind][]>;
  /** Who has one of these places. */
  placesTaken(kind: 'job' | 'message', places: Omit<ConversationPlace, '_id'>[]): Promise<ConversationPlace[]>;
  /** Adds records; one whose id is there by now is left as it is. */
  insert<Kind extends TransferredKind>(kind: Kind, records: TransferredRecords[Kind][]): Promise<void>;
  /** Moves a conversation's counters and time forward, never back. */
  advance(conversation: ConversationRecord): Promise<void>;
}

/** Of a cursor; a long transcript with its words has a megabyte. */
const BATCH = 200;

export function createTransferRepository(models: {
  Account: Model<AccountRecord>;
  Job: Model<JobRecord>;
  Conversation: Model<ConversationRecord>;
  Message: Model<MessageRecord>;
  WebhookEndpoint: Model<WebhookEndpointRecord>;
  File: Model<FileRecord>;
  ErasureItem: Model<ErasureItemRecord>;
}): TransferRepository {
  const { Account, Job, Conversation, Message, WebhookEndpoint, File } = models;
  const modelOf = {
    account: Account,
    job: Job,
    conversation: Conversation,
    message: Message,
    webhookEndpoint: WebhookEndpoint,
    file: File,
  } as unknown as {
    [Kind in TransferredKind]: Model<TransferredRecords[Kind]>;
  };

  return {
    accounts: () => Account.find().sort({ _id: 1 }).lean().cursor({ batchSize: BATCH }),
    jobsOf: (account) =>
      Job.find({ account }, { checkpoint: 0 })
        .sort({ createdAt: 1, _id: 1 })
        .lean()
        .cursor({ batchSize: BATCH }) as AsyncIterable<AnyJobRecord>,
    webhookEndpointsOf: (account) =>
      WebhookEndpoint.find({ account }).sort({ createdAt: 1, _id: 1 }).lean().cursor({ batchSize: BATCH }),
    filesOf: (account) => File.find({ account }).sort({ createdAt: 1, _id: 1 }).lean().cursor({ batchSize: BATCH }),
    conversationsOf: (account) => Conversation.find({ account }).sort({ _id: 1 }).lean().cursor({ batchSize: BATCH }),
    messagesOf: (conversation) => Message.find({ conversation }).sort({ seq: 1 }).lean().cursor({ batchSize: BATCH }),

    async find(kind, ids) {
      const found = await modelOf[kind].find({ _id: { $in: ids } } as never).lean();
      return found;
    },

    async placesTaken(kind, places) {
      const conversations = { $in: [...new Set(places.map(({ conversation }) => conversation))] };
      const numbers = { $in: [...new Set(places.map(({ place }) => place))] };
      const found =
        kind === 'job'
          ? (
              await Job.find(
                { conversation: conversations, turn: { ...numbers, $exists: true } },
                { conversation: 1, turn: 1 },
              ).lean()
            ).map(({ _id, conversation = '', turn = 0 }) => ({ _id, conversation, place: turn }))
          : (await Message.find({ conversation: conversations, seq: numbers }, { conversation: 1, seq: 1 }).lean()).map(
              ({ _id, conversation, seq }) => ({ _id, conversation, place: seq }),
            );
      const asked = new Set(places.map(keyOfPlace));
      return found.filter((one) => asked.has(keyOfPlace(one)));
    },

    async insert(kind, records) {
      const present = new Set(
        (
          await this.find(
            kind,
            records.map(({ _id }) => _id),
          )
        ).map(({ _id }) => _id),
      );
      const missing = records.filter(({ _id }) => !present.has(_id));
      if (missing.length === 0) return;
      await modelOf[kind]
        .insertMany(missing as never, { ordered: false, throwOnValidationError: true })
        .catch(async (error: unknown) => {
          // Another import may have been quicker with the same records.
          const there = await this.find(
            kind,
            missing.map(({ _id }) => _id),
          );
          if (!isDuplicateKey(error) || there.length < missing.length) throw error;
        });
      // What was erased and is brought back on purpose is no longer looked for among what should be gone.
      const ids = missing.map(({ _id }) => _id);
      await models.ErasureItem.deleteMany({ item: { $in: ids }, forgetAt: { $exists: true } });
    },

    async advance({ _id, nextTurn, messageCount, updatedAt }) {
      await Conversation.updateOne({ _id }, { $max: { nextTurn, messageCount, updatedAt } });
    },
  };
}

function keyOfPlace({ conversation, place }: Omit<ConversationPlace, '_id'>): string {
  return `${conversation} ${place}`;
}
