import { type JobStatus, WINDING_UP_KINDS } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import type { JobRecord } from '../models/job.model.ts';
import { endAttempt } from './attempt-timeline.ts';
import { byId } from './by-id.ts';
import type { JobExpiry, StepEnd } from './job-claims.repository.ts';

/** What is decided about a job by others than whoever works on it. Conditional writes, as those of a claim. */
export interface JobControlRepository {
  /** A queued job is cancelled at once, a running one, and one that winds up, is asked to stop; the answer is its state now. */
  requestCancel(account: string, id: string, expiry: JobExpiry): Promise<JobStatus | undefined>;
  /** A running job is asked to stop; its worker sees it at the next renewal. */
  askToStop(id: string): Promise<void>;
  /** Ends a job that missed its deadline and that nobody works on: it waits, or its worker is gone. One caller gets `true`. */
  expire(job: Pick<JobRecord, '_id' | 'fence' | 'status'>, expiry: JobExpiry): Promise<boolean>;
  /**
   * A job that ended without a result goes back to its queue, with its attempts counted from zero and its deadlines lifted; to
   * go on `from` a step, or begin anew. Not before its end was told, nor once its removal has begun.
   */
  requeueEnded(id: string, fence: number, from?: StepEnd): Promise<boolean>;
  /** Its owner's notes on it, in the place of those before. */
  setMetadata(account: string, id: string, metadata: Record<string, string>): Promise<void>;
}

const WITHOUT_RESULT = ['failed', 'cancelled', 'expired'] as const;
const OF_THE_END = {
  failure: 1,
  usage: 1,
  reservation: 1,
  result: 1,
  finishedAt: 1,
  cancelRequestedAt: 1,
  deadlineAt: 1,
  expiresAt: 1,
  inputExpiresAt: 1,
  outputExpiresAt: 1,
  filesExpireAt: 1,
} as const;
const OF_ITS_STEPS = { step: 1, checkpoint: 1 } as const;

export function createJobControlRepository(Job: Model<JobRecord>, now: () => Date): JobControlRepository {
  return {
    async requestCancel(account, id, expiry) {
      for (;;) {
        const job = await Job.findOne(byId<JobRecord>(id, { account }), { status: 1, kind: 1 }).lean();
        if (job?.status !== 'queued' && job?.status !== 'in_progress') return job?.status;
        const { status, kind } = job;
        const at = now();
        const isEnded = status === 'queued' && !WINDING_UP_KINDS.includes(kind);
        // A job that was taken or went back to the queue since the look is met by no write, and looked at again.
        const { matchedCount } = await Job.updateOne(
          byId<JobRecord>(id, { account, status }),
          isEnded
            ? {
                $set: { status: 'cancelled', finishedAt: at, ...expiry, cancelRequestedAt: at, webhooksPending: true },
                $unset: { checkpoint: 1, deadlineAt: 1 },
              }
            : { $set: { cancelRequestedAt: at } },
        );
        if (matchedCount === 1) return isEnded ? 'cancelled' : status;
      }
    },
    async setMetadata(account, id, metadata) {
      await Job.updateOne(byId<JobRecord>(id, { account }), { $set: { metadata } });
    },
    async askToStop(id) {
      await Job.updateOne(byId<JobRecord>(id, { status: 'in_progress' }), { $set: { cancelRequestedAt: now() } });
    },

    async expire({ _id, fence, status }, expiry) {
      const at = now();
      const end = {
        $set: { status: 'expired' as const, finishedAt: at, ...expiry, webhooksPending: true },
        $unset: { leaseUntil: 1, worker: 1, checkpoint: 1, deadlineAt: 1 },
      } as const;
      const due = { deadlineAt: { $lte: at } };
      if (status === 'queued') {
        return (await Job.updateOne({ ...byId<JobRecord>(_id, { fence, status }), ...due }, end)).matchedCount === 1;
      }
      return endAttempt(
        Job,
        { _id, fence, ...due, leaseUntil: { $not: { $gt: at } } },
        { ...end, $inc: { crashes: 1 } },
        { at, outcome: 'vanished' },
      );
    },

    async requeueEnded(id, fence, from) {
      const { matchedCount } = await Job.updateOne(
        {
          ...byId<JobRecord>(id, { fence }),
          status: { $in: [...WITHOUT_RESULT] },
          inputDeletedAt: { $exists: false },
          removing: { $exists: false },
          webhooksPending: { $ne: true },
          usagePending: { $ne: true },
        },
        {
          $set: { status: 'queued', queuedAt: now(), attempt: 0, crashes: 0, progress: 0, ...from },
          $inc: { fence: 1, retries: 1 },
          $unset: { ...OF_THE_END, ...(!from && OF_ITS_STEPS) },
        },
      );
      return matchedCount === 1;
    },
  };
}
