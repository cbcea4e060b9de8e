import type { JobKind, JobStatus } from '@aigolos/contracts';
import type { Model, QueryFilter } from 'mongoose';
import {
  type AnyJobRecord,
  assertTask,
  JOB_SUMMARY_FIELDS,
  type JobRecord,
  type JobSummary,
  jobCollection,
} from '../models/job.model.ts';
import { byId } from './by-id.ts';
import { newer, notYet, older } from './page.ts';

export interface JobListFilter {
  account: string;
  limit: number;
  /** The last record of the page before. */
  after?: Pick<JobRecord, '_id' | 'createdAt'> | undefined;
  kind?: JobKind | undefined;
  status?: JobStatus | undefined;
  /** With these pairs among its metadata; keys without a dot. */
  metadata?: Record<string, string> | undefined;
  /** Newest first unless it is `asc`. */
  order?: 'asc' | 'desc' | undefined;
}

export interface StoredChatFilter extends Pick<JobListFilter, 'account' | 'limit' | 'after'> {
  order: 'asc' | 'desc';
  model?: string | undefined;
  /** All of these pairs; keys have no dot and begin with no dollar sign. */
  metadata: Record<string, string>;
}

const NEWS_FIELDS = [
  'kind',
  'account',
  'status',
  'retries',
  'batch',
  'webhookUrl',
  'startedAt',
  'finishedAt',
] as const satisfies (keyof JobRecord)[];
export type JobNewsFields = Pick<JobRecord, '_id' | (typeof NEWS_FIELDS)[number]>;

export type BatchLineJob = Pick<JobRecord, '_id' | 'status' | 'idempotencyKey'>;

/** Jobs as they are submitted, and as their owners and the queue look at them. */
export interface JobReadingRepository {
  insert(job: JobRecord): Promise<void>;
  find(id: string): Promise<AnyJobRecord | undefined>;
  /** Nothing where it is another account's, or its time has come. */
  findOwned(account: string, id: string): Promise<AnyJobRecord | undefined>;
  /** What its status shows, of the same jobs. */
  summaryOf(account: string, id: string): Promise<JobSummary | undefined>;
  accountOf(id: string): Promise<string | undefined>;
  /** What their accounts are told of jobs, without what was said in them and what came of them. */
  newsOf(ids: readonly string[]): Promise<JobNewsFields[]>;
  /** Of one that runs, or waits to be gone on with. */
  checkpointOf(account: string, id: string): Promise<unknown>;
  /** Without those whose time has come, and without erasures unless their kind is asked for. */
  list(filter: JobListFilter): Promise<AnyJobRecord[]>;
  /** What a list shows, of the same jobs. */
  summaries(filter: JobListFilter): Promise<JobSummary[]>;
  /** Chats that were to be stored and have an answer. */
  storedChats(filter: StoredChatFilter): Promise<JobRecord<'chat'>[]>;
  /** Has an earlier turn of this conversation not ended, or not written its messages? */
  hasEarlierTurn(conversation: string, turn: number): Promise<boolean>;
  /** Has a later turn of this conversation been sent, and not ended without an answer? */
  hasLaterTurn(conversation: string, turn: number): Promise<boolean>;
  /** The first turn after this one that waits to be run. */
  nextQueuedTurn(conversation: string, turn: number): Promise<Pick<JobRecord, '_id' | 'kind' | 'step'> | undefined>;
  /** Jobs that are lines of a batch, under the keys that they were submitted with. */
  linesOf(batch: string): AsyncIterable<BatchLineJob>;
  existing(ids: string[]): Promise<Set<string>>;
}

const NEWS = Object.fromEntries(NEWS_FIELDS.map((field) => [field, 1 as const]));
const READ_AT_ONCE = 500;
const SUMMARY = Object.fromEntries([...JOB_SUMMARY_FIELDS, 'task.model'].map((field) => [field, 1 as const]));

export function createJobReadingRepository(Job: Model<JobRecord>): JobReadingRepository {
  const jobs = jobCollection(Job);
  const find = async (id: string) => ((await jobs.findOne({ _id: id })) ?? undefined) as AnyJobRecord | undefined;

  const listed = (
    { account, limit, after, kind, status, metadata, order }: JobListFilter,
    fields: Record<string, 0 | 1>,
  ) => {
    // Erasures are shown to those who ask for them: whoever deletes all that is listed comes to an end.
    const kinds = { kind: kind ?? { $ne: 'erasure' as const } };
    const pairs = Object.entries(metadata ?? {}).map(([key, value]) => [`metadata.${key}`, value]);
    const page = order === 'asc' ? newer(after) : older(after);
    const direction = order === 'asc' ? 1 : -1;
    const filter = { account, expiresAt: notYet(), ...page, ...kinds, ...(status && { status }) };
    const found = Job.find({ ...filter, ...(Object.fromEntries(pairs) as object) }, fields);
    return found.sort({ createdAt: direction, _id: direction }).limit(limit);
  };

  return {
    async insert(job) {
      assertTask(job);
      await jobs.insertOne(job, { ignoreUndefined: true });
    },
    find,
    async findOwned(account, id) {
      const job = await find(id);
      const isGone = job?.expiresAt && job.expiresAt <= new Date();
      return job?.account === account && !isGone ? job : undefined;
    },
    async summaryOf(account, id) {
      const found = await Job.findOne({ ...byId<JobRecord>(id, { account }), expiresAt: notYet() }, SUMMARY).lean();
      return (found ?? undefined) as JobSummary | undefined;
    },
    async accountOf(id) {
      return (await Job.findOne({ _id: id }, { account: 1 }).lean())?.account;
    },
    newsOf: async (ids) => (await Job.find({ _id: { $in: [...ids] } }, NEWS).lean()) as JobNewsFields[],
    async checkpointOf(account, id) {
      return (await Job.findOne(byId<JobRecord>(id, { account }), { checkpoint: 1 }).lean())?.checkpoint;
    },
    list: async (filter) => (await listed(filter, { checkpoint: 0 }).lean()) as AnyJobRecord[],
    summaries: async (filter) => (await listed(filter, SUMMARY).lean()) as JobSummary[],
    async storedChats({ account, limit, after, order, model, metadata }) {
      const [page, direction] = order === 'asc' ? [newer(after), 1 as const] : [older(after), -1 as const];
      const pairs = Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]);
      const filter = {
        account,
        kind: 'chat',
        'task.store': true,
        result: { $exists: true },
        expiresAt: notYet(),
        ...page,
        ...(model !== undefined && { 'task.model': model }),
        ...Object.fromEntries(pairs),
      } as QueryFilter<JobRecord>;
      const sorted = Job.find(filter).sort({ createdAt: direction, _id: direction });
      return (await sorted.limit(limit).lean()) as JobRecord<'chat'>[];
    },
    async hasEarlierTurn(conversation, turn) {
      const earlier = { conversation, turn: { $lt: turn } };
      // One look for both would read every job there is in SecantusDB. In this order: what ends in between has its messages to write.
      const open = await Job.exists({ ...earlier, status: { $in: ['queued', 'in_progress'] } });
      return open !== null || (await Job.exists({ ...earlier, messagesPending: true })) !== null;
    },
    async hasLaterTurn(conversation, turn) {
      const silent = { $nin: ['failed', 'cancelled', 'expired'] as JobStatus[] };
      return (await Job.findOne({ conversation, turn: { $gt: turn }, status: silent }, { _id: 1 }).lean()) !== null;
    },
    async nextQueuedTurn(conversation, turn) {
      const later = { conversation, turn: { $gt: turn }, status: 'queued' as const };
      return (await Job.findOne(later, { kind: 1, step: 1 }).sort({ turn: 1 }).lean()) ?? undefined;
    },
    linesOf: (batch) =>
      Job.find({ batch }, { status: 1, idempotencyKey: 1 }).lean().cursor({ batchSize: READ_AT_ONCE }),
    async existing(ids) {
      const found = await Job.find({ _id: { $in: ids } }, { _id: 1 }).lean();
      return new Set(found.map(({ _id }) => _id));
    },
  };
}
