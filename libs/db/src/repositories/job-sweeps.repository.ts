import { JOB_KINDS } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import type { AnyJobRecord, JobRecord } from '../models/job.model.ts';

/** What the end of a job that missed its deadline has to know of it. */
export type OverdueJob = Pick<
  JobRecord,
  '_id' | 'kind' | 'account' | 'fence' | 'status' | 'retention' | 'conversation' | 'turn' | 'reservation'
>;

/** What the counting of its usage has to know of a job that ended. */
export type UnmeteredJob = Pick<
  AnyJobRecord,
  '_id' | 'kind' | 'status' | 'account' | 'apiKey' | 'batch' | 'usage' | 'finishedAt' | 'retries'
> & { task: { model: string; transcription?: { model: string }; speech?: { model: string } } };

export type QueueFields = Pick<AnyJobRecord, '_id' | 'kind' | 'step' | 'account' | 'priority' | 'task'>;

/** What tells on which queue a job is to be found. */
export type WaitingJob = Pick<JobRecord, '_id' | 'kind' | 'step'>;

const UNMETERED_FIELDS = {
  kind: 1,
  status: 1,
  account: 1,
  apiKey: 1,
  batch: 1,
  usage: 1,
  finishedAt: 1,
  retries: 1,
  'task.model': 1,
  'task.transcription.model': 1,
  'task.speech.model': 1,
} as const;

/** Jobs of kinds that only a later version knows are that version's to look after. */
const OURS = { kind: { $in: [...JOB_KINDS] } };

/** What was left to do and nobody may be doing: for those who look for it again and again. */
export interface JobSweepsRepository {
  /** All that have been queued since before then, longest first. */
  queuedBefore(time: Date): AsyncIterable<WaitingJob>;
  /** What of these jobs their queue has to know. */
  queueFieldsOf(ids: string[]): Promise<QueueFields[]>;
  leaseExpiredBefore(time: Date, limit: number): Promise<(WaitingJob & Pick<JobRecord, 'fence'>)[]>;
  /** Jobs that missed their deadline, longest ago first, and have not ended; those with a live lease are their worker's to end. */
  overdueAt(time: Date, limit: number): Promise<OverdueJob[]>;
  /** Turns that ended but whose messages are not in their conversation yet. */
  messagesPending(limit: number): Promise<AnyJobRecord[]>;
  clearMessagesPending(id: string): Promise<void>;
  /** Jobs that ended before then and whose webhooks have no rows yet. */
  webhooksPending(endedBefore: Date, limit: number): Promise<string[]>;
  clearWebhooksPending(ids: readonly string[]): Promise<void>;
  /** Jobs that ended and whose usage is not counted yet; of those with these ids, where some are given. */
  usagePending(options: { limit: number; ids?: string[] }): Promise<UnmeteredJob[]>;
  /** @returns how many of them were still there. */
  clearUsagePending(ids: string[]): Promise<number>;
  /** Of these jobs those that are there, with what they used where they have ended. */
  endsOf(ids: string[]): Promise<Pick<JobRecord, '_id' | 'status' | 'usage'>[]>;
}

export function createJobSweepsRepository(Job: Model<JobRecord>): JobSweepsRepository {
  return {
    queuedBefore: (time) =>
      Job.find({ status: 'queued', queuedAt: { $lt: time }, ...OURS }, { kind: 1, step: 1 })
        .sort({ queuedAt: 1 })
        .lean()
        .cursor(),
    queueFieldsOf: (ids) =>
      Job.find({ _id: { $in: ids } }, { kind: 1, step: 1, account: 1, priority: 1, task: 1 }).lean(),
    leaseExpiredBefore: (time, limit) =>
      Job.find({ status: 'in_progress', leaseUntil: { $not: { $gt: time } }, ...OURS }, { kind: 1, step: 1, fence: 1 })
        .limit(limit)
        .lean(),
    overdueAt: (time, limit) =>
      Job.find(
        {
          deadlineAt: { $lte: time },
          ...OURS,
          $or: [{ status: 'queued' }, { status: 'in_progress', leaseUntil: { $not: { $gt: time } } }],
        },
        { kind: 1, account: 1, fence: 1, status: 1, retention: 1, conversation: 1, turn: 1, reservation: 1 },
      )
        .sort({ deadlineAt: 1 })
        .limit(limit)
        .lean(),
    async messagesPending(limit) {
      return (await Job.find({ messagesPending: true }).limit(limit).lean()) as AnyJobRecord[];
    },
    async clearMessagesPending(id) {
      await Job.updateOne({ _id: id }, { $unset: { messagesPending: 1 } });
    },
    async webhooksPending(endedBefore, limit) {
      const pending = { webhooksPending: true, finishedAt: { $lt: endedBefore } };
      return (await Job.find(pending, { _id: 1 }).limit(limit).lean()).map(({ _id }) => _id);
    },
    async clearWebhooksPending(ids) {
      await Job.updateMany({ _id: { $in: [...ids] } }, { $unset: { webhooksPending: 1 } });
    },
    async usagePending({ limit, ids }) {
      const pending = { usagePending: true, ...(ids && { _id: { $in: ids } }) };
      return (await Job.find(pending, UNMETERED_FIELDS).limit(limit).lean()) as unknown as UnmeteredJob[];
    },
    async clearUsagePending(ids) {
      return (await Job.updateMany({ _id: { $in: ids } }, { $unset: { usagePending: 1 } })).matchedCount;
    },
    endsOf: (ids) => Job.find({ _id: { $in: ids } }, { status: 1, usage: 1 }).lean(),
  };
}
