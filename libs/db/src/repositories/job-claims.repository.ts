import { type FinalStatus, isFinal, type JobFailure, type JobStep } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import { type AnyJobRecord, type JobRecord, jobCollection } from '../models/job.model.ts';
import { endAttempt, withAttemptBegun } from './attempt-timeline.ts';
import { byId } from './by-id.ts';

export type Claim =
  | { outcome: 'claimed'; job: AnyJobRecord }
  /** Another worker holds it until then. */
  | { outcome: 'held'; until: Date }
  /** Nobody holds it, and it missed its deadline. */
  | { outcome: 'due'; job: AnyJobRecord }
  /** `foreign`: it is in a state that only a later version knows. */
  | { outcome: 'final' | 'missing' | 'foreign' };

/** When a job that has ended is to go, and its files before it; what is absent stays until somebody deletes it. */
export type JobExpiry = Pick<JobRecord, 'expiresAt' | 'inputExpiresAt' | 'outputExpiresAt' | 'filesExpireAt'>;

/** How a job ended, written together with its final state. */
export interface JobEnding extends JobExpiry {
  status: FinalStatus;
  finishedAt: Date;
  result?: NonNullable<JobRecord['result']>;
  usage?: NonNullable<JobRecord['usage']>;
  failure?: JobFailure;
  warnings?: string[];
  messagesPending?: boolean;
  usagePending?: boolean;
  /** Of one that failed at a later step: what those before it have made, to go on from where it is sent back. Else it goes. */
  checkpoint?: unknown;
}

/** Why a job goes back to its queue: its attempt failed and is to be tried again, or was told to stop and does not count. */
export interface Release {
  outcome: 'retried' | 'drained';
  /** The code of the error. */
  error?: string;
  checkpoint?: unknown;
}

/** What a step leaves to the next. */
export interface StepEnd {
  step: JobStep;
  checkpoint: unknown;
  progress: number;
}

/** A job and whoever works on it. Each change is one conditional write, so that of several who want to make it one does. */
export interface JobClaimsRepository {
  /**
   * Takes a job that is queued, or whose holder's lease has run out. At most one caller wins. A worker asks for a job only
   * while it does not work on it: what it holds by the record is taken anew, since the answer to its claim was lost. Who has just
   * read the record gives it, and it is read again only where it has changed.
   */
  claim(id: string, by: { worker: string; leaseMs: number }, seen?: AnyJobRecord): Promise<Claim>;
  /** Prolongs the lease and carries news of the work; `lost` when somebody else owns the job by now. */
  renew(
    id: string,
    fence: number,
    news: { leaseMs: number; progress: number; checkpoint?: unknown },
  ): Promise<'held' | 'cancel_requested' | 'lost'>;
  /** Writes the end, if this claim still stands. One caller in all gets `true`. */
  finish(id: string, fence: number, ending: JobEnding): Promise<boolean>;
  /** Gives a job back to the queue, if this claim still stands. */
  release(id: string, fence: number, release: Release): Promise<boolean>;
  /** Ends a step: the job waits for its next one, with what was made, and the attempt does not count. If this claim still stands. */
  handOver(id: string, fence: number, next: StepEnd): Promise<boolean>;
  /** Takes a job whose lease has run out away from its holder. */
  releaseExpired(id: string, fence: number): Promise<boolean>;
}

export function createJobClaimsRepository(Job: Model<JobRecord>, now: () => Date): JobClaimsRepository {
  const jobs = jobCollection(Job);

  return {
    async claim(id, { worker, leaseMs }, seen) {
      for (let known = seen; ; known = undefined) {
        const job = known ?? ((await jobs.findOne({ _id: id })) as AnyJobRecord | null);
        if (!job) return { outcome: 'missing' };
        if (isFinal(job.status)) return { outcome: 'final' };
        const inProgress = job.status === 'in_progress';
        if (!inProgress && job.status !== 'queued') return { outcome: 'foreign' };
        const at = now();
        const live = inProgress && job.leaseUntil && job.leaseUntil > at ? job.leaseUntil : undefined;
        const ours = live !== undefined && job.worker === worker;
        if (live && !ours) return { outcome: 'held', until: live };
        if (!ours && job.deadlineAt && job.deadlineAt <= at) return { outcome: 'due', job };
        const fence = job.fence + 1;
        const claimed = {
          status: 'in_progress' as const,
          fence,
          attempt: job.attempt + (ours ? 0 : 1),
          crashes: job.crashes + (inProgress && !ours ? 1 : 0),
          worker,
          startedAt: job.startedAt ?? at,
          leaseUntil: new Date(at.getTime() + leaseMs),
          attempts: withAttemptBegun(job.attempts, { fence, worker, startedAt: at }),
        };
        const deadlineAt = job.deadlineAt && job.finishBy;
        // The fence in the filter makes this a compare-and-set: of two claims that read the same state one matches nothing;
        // and the lease, that one which was renewed after all is left alone.
        const { matchedCount } = await jobs.updateOne(
          byId<JobRecord>(id, {
            status: job.status,
            fence: job.fence,
            ...(job.leaseUntil && { leaseUntil: job.leaseUntil }),
          }),
          deadlineAt ? { $set: { ...claimed, deadlineAt } } : { $set: claimed, $unset: { deadlineAt: 1 } },
        );
        const { deadlineAt: _begun, ...rest } = job;
        if (matchedCount === 1)
          return { outcome: 'claimed', job: { ...rest, ...claimed, ...(deadlineAt && { deadlineAt }) } };
      }
    },

    async renew(id, fence, { leaseMs, progress, checkpoint }) {
      const leaseUntil = new Date(now().getTime() + leaseMs);
      const news = { leaseUntil, progress, ...(checkpoint !== undefined && { checkpoint }) };
      const { matchedCount } = await Job.updateOne(byId<JobRecord>(id, { fence, status: 'in_progress' }), {
        $set: news,
      });
      if (matchedCount === 0) return 'lost';
      const asked = await Job.findOne({ _id: id }, { cancelRequestedAt: 1 }).lean();
      return asked?.cancelRequestedAt ? 'cancel_requested' : 'held';
    },

    finish(id, fence, ending) {
      const { status, finishedAt, failure, checkpoint } = ending;
      return endAttempt(
        Job,
        { _id: id, fence },
        {
          $set: { ...ending, webhooksPending: true, ...(status === 'completed' && { progress: 1 }) },
          $unset: { leaseUntil: 1, worker: 1, deadlineAt: 1, ...(checkpoint === undefined && { checkpoint: 1 }) },
        },
        { at: finishedAt, outcome: status, error: failure?.code },
      );
    },

    release(id, fence, { outcome, error, checkpoint }) {
      const at = now();
      return endAttempt(
        Job,
        { _id: id, fence },
        {
          $set: { status: 'queued', queuedAt: at, ...(checkpoint !== undefined && { checkpoint }) },
          $unset: { leaseUntil: 1, worker: 1 },
          ...(outcome === 'drained' && { $inc: { attempt: -1 } }),
        },
        { at, outcome, error },
      );
    },

    handOver(id, fence, next) {
      const at = now();
      return endAttempt(
        Job,
        { _id: id, fence },
        {
          $set: { status: 'queued', queuedAt: at, ...next },
          $unset: { leaseUntil: 1, worker: 1 },
          $inc: { attempt: -1 },
        },
        { at, outcome: 'handed_over' },
      );
    },

    releaseExpired(id, fence) {
      const at = now();
      return endAttempt(
        Job,
        { _id: id, fence, leaseUntil: { $not: { $gt: at } } },
        { $set: { status: 'queued', queuedAt: at }, $unset: { leaseUntil: 1, worker: 1 }, $inc: { crashes: 1 } },
        { at, outcome: 'vanished' },
      );
    },
  };
}
