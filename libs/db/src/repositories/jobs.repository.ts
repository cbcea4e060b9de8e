import {
  FINAL_STATUSES,
  type FinalStatus,
  isFinal,
  type JobFailure,
  type JobKind,
  type JobStatus,
} from '@aigolos/contracts';
import type { Model, QueryFilter } from 'mongoose';
import {
  type AnyJobRecord,
  JOB_SUMMARY_FIELDS,
  type JobRecord,
  type JobSummary,
  type StoredFiles,
} from '../models/job.model.ts';
import { older } from './page.ts';

export type Claim =
  | { outcome: 'claimed'; job: AnyJobRecord }
  /** Another worker holds it until then. */
  | { outcome: 'held'; until: Date }
  | { outcome: 'final' | 'missing' };

/** When a job that has ended is to go, and its files before it; what is absent stays until somebody deletes it. */
export type JobExpiry = Pick<JobRecord, 'expiresAt' | 'inputExpiresAt' | 'outputExpiresAt' | 'filesExpireAt'>;

/** How a job ended, written together with its final state. */
export interface JobEnding extends JobExpiry {
  status: FinalStatus;
  finishedAt: Date;
  result?: JobRecord['result'];
  usage?: JobRecord['usage'];
  failure?: JobFailure;
  warnings?: string[];
  messagesPending?: boolean;
}

/** Whose jobs: an account's, or those that are turns of a conversation. */
export type JobOwner = { account: string } | { conversation: string };

export type RunningJob = Pick<JobRecord, '_id' | 'kind' | 'fence' | 'leaseUntil'>;

export interface JobListFilter {
  account: string;
  limit: number;
  /** The last record of the page before. */
  after?: Pick<JobRecord, '_id' | 'createdAt'> | undefined;
  kind?: JobKind | undefined;
  status?: JobStatus | undefined;
}

/** Which jobs a cleanup looks at. */
export interface EndedJobsFilter {
  kind: JobKind;
  endedBefore: Date;
  account?: string | undefined;
}

/** What a removal has to know of a job. */
export type EndedJob = Pick<JobRecord, '_id' | 'account' | 'createdAt' | 'removing'>;

/** What the deletion of its files has to know of a job. */
export type JobWithFiles = Pick<JobRecord, '_id' | 'inputExpiresAt' | 'outputExpiresAt' | 'filesExpireAt'>;

export interface JobsRepository {
  insert(job: JobRecord): Promise<void>;
  find(id: string): Promise<AnyJobRecord | undefined>;
  /** Nothing where it is another account's, or its time has come. */
  findOwned(account: string, id: string): Promise<AnyJobRecord | undefined>;
  /** What its status shows, of the same jobs. */
  summaryOf(account: string, id: string): Promise<JobSummary | undefined>;
  accountOf(id: string): Promise<string | undefined>;
  /** Newest first, without those whose time has come, and without erasures unless their kind is asked for. */
  list(filter: JobListFilter): Promise<AnyJobRecord[]>;
  /** What a list shows, of the same jobs. */
  summaries(filter: JobListFilter): Promise<JobSummary[]>;
  /** Takes a job that is queued, or whose holder's lease has run out. At most one caller wins. */
  claim(id: string, by: { worker: string; leaseMs: number }): Promise<Claim>;
  /** Prolongs the lease and carries news of the work; `lost` when somebody else owns the job by now. */
  renew(
    id: string,
    fence: number,
    news: { leaseMs: number; progress: number; checkpoint?: unknown },
  ): Promise<'held' | 'cancel_requested' | 'lost'>;
  /** Writes the end, if this claim still stands. One caller in all gets `true`. */
  finish(id: string, fence: number, ending: JobEnding): Promise<boolean>;
  /** Gives a job back to the queue, if this claim still stands. */
  release(id: string, fence: number, options: { countAttempt: boolean; checkpoint?: unknown }): Promise<boolean>;
  /** Takes a job whose lease has run out away from its holder. */
  releaseExpired(id: string, fence: number): Promise<boolean>;
  /** A queued job is cancelled at once, a running one is asked to stop; the answer is its state now. */
  requestCancel(account: string, id: string, expiry: JobExpiry): Promise<JobStatus | undefined>;
  /** Removes a job that has ended. */
  deleteFinal(account: string, id: string): Promise<boolean>;
  /** Jobs of an account or a conversation that do not run; erasures, which are the proof of what is gone, are left out. */
  idleOf(owner: JobOwner, limit: number): Promise<Pick<JobRecord, '_id' | 'kind' | 'account'>[]>;
  /** Jobs of an account or a conversation that run. */
  runningOf(owner: JobOwner, limit: number): Promise<RunningJob[]>;
  /** Removes jobs that do not run, whether they have ended or wait. */
  deleteIdle(ids: string[]): Promise<number>;
  /** Erasures of an account that have not ended. */
  openErasures(account: string): Promise<JobRecord<'erasure'>[]>;
  /** A running job is asked to stop; its worker sees it at the next renewal. */
  askToStop(id: string): Promise<void>;
  /** All that have been queued since before then, longest first. */
  queuedBefore(time: Date): AsyncIterable<{ _id: string; kind: JobKind }>;
  leaseExpiredBefore(time: Date, limit: number): Promise<{ _id: string; kind: JobKind; fence: number }[]>;
  /** Jobs that have ended and whose time has come. */
  expiredBefore(time: Date): AsyncIterable<EndedJob>;
  /** Jobs that are kept but have files whose time has come. */
  filesExpiredBefore(time: Date): AsyncIterable<JobWithFiles>;
  /** Files of a job are gone; `filesExpireAt` is when its next ones go. */
  noteFilesDeleted(
    id: string,
    deleted: Pick<JobRecord, 'inputDeletedAt' | 'outputDeletedAt' | 'filesExpireAt'>,
  ): Promise<void>;
  /** Jobs of a kind that have ended, longest ago first; of chat those that are no turns of a conversation. */
  ended(filter: EndedJobsFilter): AsyncIterable<EndedJob>;
  /** The files of a job that is about to be removed, as the first one found them who wanted to remove it. */
  noteRemoval(id: string, found: StoredFiles): Promise<StoredFiles>;
  /** Chat jobs that ended but whose messages are not in their conversation yet. */
  messagesPending(limit: number): Promise<JobRecord<'chat'>[]>;
  clearMessagesPending(id: string): Promise<void>;
  /** Jobs that ended before then and whose webhooks have no rows yet. */
  webhooksPending(endedBefore: Date, limit: number): Promise<string[]>;
  clearWebhooksPending(id: string): Promise<void>;
  /** Has an earlier turn of this conversation not ended, or not written its messages? */
  hasEarlierTurn(conversation: string, turn: number): Promise<boolean>;
  queuedAhead(kind: JobKind, queuedAt: Date): Promise<number>;
  existing(ids: string[]): Promise<Set<string>>;
}

const SUMMARY = Object.fromEntries([...JOB_SUMMARY_FIELDS, 'task.model'].map((field) => [field, 1 as const]));
const POSITION_COUNTED_UP_TO = 10_000;
const READ_AT_ONCE = 500;
const ENDED_FIELDS = { account: 1, createdAt: 1, removing: 1 } as const;

export function createJobsRepository(Job: Model<JobRecord>): JobsRepository {
  const finalOnes = { $in: [...FINAL_STATUSES] };
  /** What has ended and of which nobody is still to get messages or webhooks. */
  const ended = { status: finalOnes, messagesPending: { $ne: true }, webhooksPending: { $ne: true } };
  const findLean = async (filter: Record<string, unknown>) =>
    ((await Job.findOne(filter).lean()) ?? undefined) as AnyJobRecord | undefined;

  const listed = ({ account, limit, after, kind, status }: JobListFilter, fields: Record<string, 0 | 1>) => {
    // Erasures are shown to those who ask for them: whoever deletes all that is listed comes to an end.
    const kinds = { kind: kind ?? { $ne: 'erasure' as const } };
    const filter = { account, expiresAt: notYet(), ...older(after), ...kinds, ...(status && { status }) };
    return Job.find(filter, fields).sort({ createdAt: -1, _id: -1 }).limit(limit);
  };

  return {
    async insert(job) {
      await Job.create(job);
    },
    find: (id) => findLean({ _id: id }),
    findOwned: (account, id) => findLean({ _id: id, account, expiresAt: notYet() }),
    async summaryOf(account, id) {
      const found = await Job.findOne({ _id: id, account, expiresAt: notYet() }, SUMMARY).lean();
      return (found ?? undefined) as JobSummary | undefined;
    },
    async accountOf(id) {
      return (await Job.findOne({ _id: id }, { account: 1 }).lean())?.account;
    },

    list: async (filter) => (await listed(filter, { checkpoint: 0 }).lean()) as AnyJobRecord[],
    summaries: async (filter) => (await listed(filter, SUMMARY).lean()) as JobSummary[],

    async claim(id, { worker, leaseMs }) {
      const job = await findLean({ _id: id });
      if (!job) return { outcome: 'missing' };
      if (isFinal(job.status)) return { outcome: 'final' };
      const now = new Date();
      const afterCrash = job.status === 'in_progress';
      if (afterCrash && job.leaseUntil && job.leaseUntil > now) return { outcome: 'held', until: job.leaseUntil };
      const claimed = {
        status: 'in_progress' as const,
        fence: job.fence + 1,
        attempt: job.attempt + 1,
        crashes: job.crashes + (afterCrash ? 1 : 0),
        worker,
        startedAt: job.startedAt ?? now,
        leaseUntil: new Date(now.getTime() + leaseMs),
      };
      // The fence in the filter makes this a compare-and-set: of two claims that read the same state one matches nothing.
      const { matchedCount } = await Job.updateOne(
        { _id: id, status: job.status, fence: job.fence },
        { $set: claimed },
      );
      if (matchedCount === 0) return { outcome: 'held', until: claimed.leaseUntil };
      return { outcome: 'claimed', job: { ...job, ...claimed } };
    },

    async renew(id, fence, { leaseMs, progress, checkpoint }) {
      const news = {
        leaseUntil: new Date(Date.now() + leaseMs),
        progress,
        ...(checkpoint !== undefined && { checkpoint }),
      };
      const { matchedCount } = await Job.updateOne({ _id: id, fence, status: 'in_progress' }, { $set: news });
      if (matchedCount === 0) return 'lost';
      const asked = await Job.findOne({ _id: id }, { cancelRequestedAt: 1 }).lean();
      return asked?.cancelRequestedAt ? 'cancel_requested' : 'held';
    },

    async finish(id, fence, ending) {
      const { matchedCount } = await Job.updateOne(
        { _id: id, fence, status: 'in_progress' },
        {
          $set: { ...ending, webhooksPending: true, ...(ending.status === 'completed' && { progress: 1 }) },
          $unset: { leaseUntil: 1, worker: 1, checkpoint: 1 },
        },
      );
      return matchedCount === 1;
    },

    async release(id, fence, { countAttempt, checkpoint }) {
      const { matchedCount } = await Job.updateOne(
        { _id: id, fence, status: 'in_progress' },
        {
          $set: { status: 'queued', queuedAt: new Date(), ...(checkpoint !== undefined && { checkpoint }) },
          $unset: { leaseUntil: 1, worker: 1 },
          ...(countAttempt ? {} : { $inc: { attempt: -1 } }),
        },
      );
      return matchedCount === 1;
    },

    async releaseExpired(id, fence) {
      const { matchedCount } = await Job.updateOne(
        { _id: id, fence, status: 'in_progress', leaseUntil: { $lt: new Date() } },
        {
          $set: { status: 'queued', queuedAt: new Date() },
          $unset: { leaseUntil: 1, worker: 1 },
          $inc: { crashes: 1 },
        },
      );
      return matchedCount === 1;
    },

    async requestCancel(account, id, expiry) {
      for (;;) {
        const now = new Date();
        const queued = await Job.updateOne(
          { _id: id, account, status: 'queued' },
          {
            $set: { status: 'cancelled', finishedAt: now, ...expiry, cancelRequestedAt: now, webhooksPending: true },
            $unset: { checkpoint: 1 },
          },
        );
        if (queued.matchedCount === 1) return 'cancelled';
        const running = await Job.updateOne(
          { _id: id, account, status: 'in_progress' },
          { $set: { cancelRequestedAt: now } },
        );
        const status = (await findLean({ _id: id, account }))?.status;
        // A job that went back to the queue between the two writes was met by neither.
        if (running.matchedCount === 1 || status !== 'queued') return status;
      }
    },

    async deleteFinal(account, id) {
      const { deletedCount } = await Job.deleteOne({ _id: id, account, status: finalOnes });
      return deletedCount === 1;
    },

    idleOf: (owner, limit) =>
      Job.find({ ...ownedBy(owner), status: { $ne: 'in_progress' } }, { kind: 1, account: 1 })
        .limit(limit)
        .lean(),
    runningOf: (owner, limit) =>
      Job.find({ ...ownedBy(owner), status: 'in_progress' }, { kind: 1, fence: 1, leaseUntil: 1 })
        .limit(limit)
        .lean(),
    async deleteIdle(ids) {
      return (await Job.deleteMany({ _id: { $in: ids }, status: { $ne: 'in_progress' } })).deletedCount;
    },
    async openErasures(account) {
      const open = { account, kind: 'erasure' as const, status: { $nin: [...FINAL_STATUSES] } };
      return (await Job.find(open).lean()) as JobRecord<'erasure'>[];
    },
    async askToStop(id) {
      await Job.updateOne({ _id: id, status: 'in_progress' }, { $set: { cancelRequestedAt: new Date() } });
    },

    queuedBefore: (time) =>
      Job.find({ status: 'queued', queuedAt: { $lt: time } }, { kind: 1 })
        .sort({ queuedAt: 1 })
        .lean()
        .cursor(),
    leaseExpiredBefore: (time, limit) =>
      Job.find({ status: 'in_progress', leaseUntil: { $lt: time } }, { kind: 1, fence: 1 })
        .limit(limit)
        .lean(),
    expiredBefore: (time) =>
      Job.find({ expiresAt: { $lte: time }, ...ended }, ENDED_FIELDS)
        .lean()
        .cursor({ batchSize: READ_AT_ONCE }),
    filesExpiredBefore: (time) =>
      Job.find({ filesExpireAt: { $lte: time } }, { inputExpiresAt: 1, outputExpiresAt: 1, filesExpireAt: 1 })
        .lean()
        .cursor({ batchSize: READ_AT_ONCE }),
    async noteFilesDeleted(id, { filesExpireAt, ...deleted }) {
      await Job.updateOne(
        { _id: id },
        filesExpireAt ? { $set: { ...deleted, filesExpireAt } } : { $set: deleted, $unset: { filesExpireAt: 1 } },
      );
    },
    ended: ({ kind, endedBefore, account }) =>
      Job.find(
        {
          kind,
          finishedAt: { $lt: endedBefore },
          ...ended,
          ...(kind === 'chat' && { conversation: { $exists: false } }),
          ...(account !== undefined && { account }),
        },
        ENDED_FIELDS,
      )
        .sort({ finishedAt: 1, _id: 1 })
        .lean()
        .cursor({ batchSize: READ_AT_ONCE }),
    async noteRemoval(id, found) {
      if (found.files > 0)
        await Job.updateOne({ _id: id, removing: { $exists: false } }, { $set: { removing: found } });
      return (await Job.findOne({ _id: id }, { removing: 1 }).lean())?.removing ?? found;
    },
    async messagesPending(limit) {
      return (await Job.find({ messagesPending: true }).limit(limit).lean()) as JobRecord<'chat'>[];
    },
    async clearMessagesPending(id) {
      await Job.updateOne({ _id: id }, { $unset: { messagesPending: 1 } });
    },
    async webhooksPending(endedBefore, limit) {
      const pending = { webhooksPending: true, finishedAt: { $lt: endedBefore } };
      return (await Job.find(pending, { _id: 1 }).limit(limit).lean()).map(({ _id }) => _id);
    },
    async clearWebhooksPending(id) {
      await Job.updateOne({ _id: id }, { $unset: { webhooksPending: 1 } });
    },
    async hasEarlierTurn(conversation, turn) {
      const unfinished: QueryFilter<JobRecord>[] = [
        { status: { $in: ['queued', 'in_progress'] } },
        { messagesPending: true },
      ];
      return (await Job.findOne({ conversation, turn: { $lt: turn }, $or: unfinished }, { _id: 1 }).lean()) !== null;
    },
    queuedAhead: (kind, queuedAt) =>
      Job.countDocuments({ status: 'queued', queuedAt: { $lt: queuedAt }, kind }).limit(POSITION_COUNTED_UP_TO),
    async existing(ids) {
      const found = await Job.find({ _id: { $in: ids } }, { _id: 1 }).lean();
      return new Set(found.map(({ _id }) => _id));
    },
  };
}

/** A conversation's jobs are found by the index of its turns, which holds those that have one. */
function ownedBy(owner: JobOwner): QueryFilter<JobRecord> {
  return 'account' in owner
    ? { account: owner.account, kind: { $ne: 'erasure' } }
    : { conversation: owner.conversation, turn: { $exists: true } };
}

/** Of what is read: its time has not come. What is due is gone for its readers, though it is deleted a little later. */
function notYet() {
  return { $not: { $lte: new Date() } };
}
