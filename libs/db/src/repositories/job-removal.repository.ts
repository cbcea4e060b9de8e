import { FINAL_STATUSES, isTurnKind, type JobKind } from '@aigolos/contracts';
import type { Model, QueryFilter } from 'mongoose';
import type { JobRecord, StoredFiles } from '../models/job.model.ts';

/** Whose jobs: an account's, those that are turns of a conversation, or those that are lines of a batch. */
export type JobOwner = { account: string } | { conversation: string } | { batch: string };

export type RunningJob = Pick<JobRecord, '_id' | 'kind' | 'fence' | 'leaseUntil'>;

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

/** Jobs that are to go, and their files. None goes before its usage is counted. */
export interface JobRemovalRepository {
  /** Removes a job that has ended. */
  deleteFinal(account: string, id: string): Promise<boolean>;
  /** Removes those of these jobs that have ended. @returns how many there were. */
  deleteEnded(ids: string[]): Promise<number>;
  /** Jobs of such an owner that do not run; erasures, which are the proof of what is gone, are left out. */
  idleOf(
    owner: JobOwner,
    limit: number,
  ): Promise<Pick<JobRecord, '_id' | 'kind' | 'account' | 'status' | 'reservation'>[]>;
  /** Those that run. */
  runningOf(owner: JobOwner, limit: number): Promise<RunningJob[]>;
  /** Removes jobs that do not run, whether they have ended or wait. */
  deleteIdle(ids: string[]): Promise<number>;
  /** Erasures of an account that have not ended. */
  openErasures(account: string): Promise<JobRecord<'erasure'>[]>;
  /** Jobs that have ended and whose time has come. */
  expiredBefore(time: Date): AsyncIterable<EndedJob>;
  /** Jobs that are kept but have files whose time has come. */
  filesExpiredBefore(time: Date): AsyncIterable<JobWithFiles>;
  /** Files of a job are gone; `filesExpireAt` is when its next ones go. */
  noteFilesDeleted(
    id: string,
    deleted: Pick<JobRecord, 'inputDeletedAt' | 'outputDeletedAt' | 'filesExpireAt'>,
  ): Promise<void>;
  /** Jobs of a kind that have ended, longest ago first, without those that are turns of a conversation. */
  ended(filter: EndedJobsFilter): AsyncIterable<EndedJob>;
  /** The files of a job that is about to be removed, as the first one found them who wanted to remove it. */
  noteRemoval(id: string, found: StoredFiles): Promise<StoredFiles>;
}

const READ_AT_ONCE = 500;
const ENDED_FIELDS = { account: 1, createdAt: 1, removing: 1 } as const;

export function createJobRemovalRepository(Job: Model<JobRecord>): JobRemovalRepository {
  const finalOnes = { $in: [...FINAL_STATUSES] };
  const counted = { usagePending: { $ne: true } };
  /** What has ended and of which nobody is still to get messages, webhooks or usage. */
  const ended = { status: finalOnes, messagesPending: { $ne: true }, webhooksPending: { $ne: true }, ...counted };

  return {
    async deleteFinal(account, id) {
      const { deletedCount } = await Job.deleteOne({ _id: id, account, status: finalOnes, ...counted });
      return deletedCount === 1;
    },
    async deleteEnded(ids) {
      if (ids.length === 0) return 0;
      return (await Job.deleteMany({ _id: { $in: ids }, status: finalOnes, ...counted })).deletedCount;
    },
    idleOf: (owner, limit) =>
      Job.find(
        { ...ownedBy(owner), status: { $ne: 'in_progress' } },
        { kind: 1, account: 1, status: 1, reservation: 1 },
      )
        .limit(limit)
        .lean(),
    runningOf: (owner, limit) =>
      Job.find({ ...ownedBy(owner), status: 'in_progress' }, { kind: 1, fence: 1, leaseUntil: 1 })
        .limit(limit)
        .lean(),
    async deleteIdle(ids) {
      return (await Job.deleteMany({ _id: { $in: ids }, status: { $ne: 'in_progress' }, ...counted })).deletedCount;
    },
    async openErasures(account) {
      const open = { account, kind: 'erasure' as const, status: { $nin: [...FINAL_STATUSES] } };
      return (await Job.find(open).lean()) as JobRecord<'erasure'>[];
    },
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
          ...(isTurnKind(kind) && { conversation: { $exists: false } }),
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
  };
}

/** A conversation's jobs are found by the index of its turns, which holds those that have one. */
function ownedBy(owner: JobOwner): QueryFilter<JobRecord> {
  if ('account' in owner) return { account: owner.account, kind: { $ne: 'erasure' } };
  return 'batch' in owner ? owner : { conversation: owner.conversation, turn: { $exists: true } };
}
