import { type JobFailure, type JobKind, TRANSCRIPT_KINDS } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import type { AccountRecord, ApiKeyRecord } from '../models/access.model.ts';
import type { ConversationRecord, MessageRecord } from '../models/conversation.model.ts';
import type { FileRecord } from '../models/file.model.ts';
import type { AnyJobRecord, JobRecord } from '../models/job.model.ts';
import type { UploadRecord } from '../models/upload.model.ts';
import type { WebhookDeliveryRecord, WebhookEndpointRecord } from '../models/webhook.model.ts';

/** What belongs together and may not be together any more. */
export interface ConsistencyRepository {
  /** Accounts that jobs (other than erasures), conversations, files, uploads, keys or webhooks name, each once or a few times. */
  namedAccounts(): AsyncIterable<string>;
  existingAccounts(ids: string[]): Promise<Set<string>>;
  hasAccounts(): Promise<boolean>;
  /** Conversations that messages or turns name, each once or twice. */
  namedConversations(): AsyncIterable<string>;
  existingConversations(ids: string[]): Promise<Set<string>>;
  existingMessages(ids: string[]): Promise<Set<string>>;
  /** Jobs that webhooks tell of, each once. */
  jobsOfDeliveries(): AsyncIterable<string>;
  /** Completed jobs whose result is a file, and those that have audio and wait for their turn; without what they say. */
  jobsWithFiles(): AsyncIterable<AnyJobRecord>;
  /** Jobs of kinds that make files, which have ended since then; of their tasks the audio that was sent. */
  fileMakersEndedSince(time: Date): AsyncIterable<Pick<JobRecord, '_id' | 'result'> & { task: object }>;
  /** Fails a job that waits, whose audio is lost. */
  failWithoutInput(id: string, failure: JobFailure, expiresAt: Date | undefined): Promise<boolean>;
  /** Erasures that were asked for before then and have not ended. */
  openErasures(createdBefore: Date): Promise<Pick<JobRecord, '_id' | 'account' | 'createdAt' | 'attempt'>[]>;
}

const READ_AT_ONCE = 500;
/** Kinds that have files of their own: results, and what they go on from. */
const FILE_MAKERS = ['speech', 'voice-turn', 'batch', 'export'] as const satisfies readonly JobKind[];
const FILES = {
  kind: 1,
  status: 1,
  'task.audio.blobKey': 1,
  'result.blobKey': 1,
  'result.timings.blobKey': 1,
  'result.speech.blobKey': 1,
  'result.speech.timings.blobKey': 1,
} as const;

export function createConsistencyRepository(models: {
  Job: Model<JobRecord>;
  Conversation: Model<ConversationRecord>;
  Message: Model<MessageRecord>;
  Account: Model<AccountRecord>;
  ApiKey: Model<ApiKeyRecord>;
  File: Model<FileRecord>;
  Upload: Model<UploadRecord>;
  WebhookEndpoint: Model<WebhookEndpointRecord>;
  WebhookDelivery: Model<WebhookDeliveryRecord>;
}): ConsistencyRepository {
  const { Job, Conversation, Message, Account, ApiKey, File, Upload, WebhookEndpoint, WebhookDelivery } = models;
  const idsIn = (found: { _id: string }[]) => new Set(found.map(({ _id }) => _id));
  return {
    async *namedAccounts() {
      yield* valuesOf(Job, 'account', { kind: { $ne: 'erasure' } });
      yield* valuesOf(Conversation, 'account');
      yield* valuesOf(File, 'account');
      yield* valuesOf(Upload, 'account');
      yield* valuesOf(ApiKey, 'account');
      yield* valuesOf(WebhookEndpoint, 'account');
      yield* valuesOf(WebhookDelivery, 'account');
    },
    existingAccounts: async (ids) => idsIn(await Account.find({ _id: { $in: ids } }, { _id: 1 }).lean()),
    hasAccounts: async () => (await Account.exists({})) !== null,

    async *namedConversations() {
      yield* valuesOf(Message, 'conversation');
      yield* valuesOf(Job, 'conversation', { turn: { $exists: true } });
    },
    existingConversations: async (ids) => idsIn(await Conversation.find({ _id: { $in: ids } }, { _id: 1 }).lean()),
    existingMessages: async (ids) => idsIn(await Message.find({ _id: { $in: ids } }, { _id: 1 }).lean()),

    jobsOfDeliveries: () => valuesOf(WebhookDelivery, 'job', { job: { $exists: true } }),

    async *jobsWithFiles() {
      const read = (filter: object) => Job.find(filter, FILES).lean().cursor({ batchSize: READ_AT_ONCE });
      for (const kind of FILE_MAKERS) {
        yield* read({ kind, status: 'completed', outputDeletedAt: { $exists: false } }) as AsyncIterable<AnyJobRecord>;
      }
      for (const kind of [...TRANSCRIPT_KINDS, 'voice-turn'] as const) {
        const withInput = { kind, inputDeletedAt: { $exists: false } };
        yield* read({ ...withInput, finishedAt: { $exists: true } }) as AsyncIterable<AnyJobRecord>;
        yield* read({ ...withInput, status: 'queued' }) as AsyncIterable<AnyJobRecord>;
      }
    },
    async *fileMakersEndedSince(time) {
      for (const kind of FILE_MAKERS) {
        const ended = Job.find({ kind, finishedAt: { $gte: time } }, { result: 1, 'task.audio': 1 });
        for await (const job of ended.lean().cursor({ batchSize: READ_AT_ONCE })) yield { task: {}, ...job };
      }
    },
    async failWithoutInput(id, failure, expiresAt) {
      const now = new Date();
      const ended = {
        status: 'failed' as const,
        finishedAt: now,
        inputDeletedAt: now,
        ...(expiresAt && { expiresAt }),
      };
      const { matchedCount } = await Job.updateOne({ _id: id, status: 'queued' }, { $set: { ...ended, failure } });
      return matchedCount === 1;
    },
    openErasures: (createdBefore) =>
      Job.find(
        { status: { $in: ['queued', 'in_progress'] }, kind: 'erasure', createdAt: { $lt: createdBefore } },
        { account: 1, createdAt: 1, attempt: 1 },
      ).lean(),
  };
}

/** The distinct values of an indexed field. MongoDB reads them from the index alone. */
async function* valuesOf<T>(model: Model<T>, field: string, filter: object = {}): AsyncGenerator<string> {
  const groups = model
    .aggregate<{ _id: string }>([{ $match: filter }, { $group: { _id: `$${field}` } }])
    .cursor({ batchSize: READ_AT_ONCE });
  for await (const { _id } of groups) yield _id;
}
