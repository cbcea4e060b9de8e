import type { AttemptOutcomeName } from '@aigolos/contracts';
import type { Model, mongo } from 'mongoose';
import { type AttemptRecord, type JobRecord, jobCollection } from '../models/job.model.ts';
import { byId } from './by-id.ts';

/** So many attempts of a job are told, the last ones. */
const KEPT = 20;

export interface AttemptEnd {
  at: Date;
  outcome: AttemptOutcomeName;
  error?: string | undefined;
}

/** The timeline with one more attempt. Where another one was still open, its worker vanished. */
export function withAttemptBegun(timeline: AttemptRecord[] | undefined, begun: AttemptRecord): AttemptRecord[] {
  const vanished = { endedAt: begun.startedAt, outcome: 'vanished' as const };
  const before = (timeline ?? []).map((attempt) => (attempt.outcome ? attempt : { ...attempt, ...vanished }));
  return [...before, begun].slice(-KEPT);
}

/** The job and fence of a claim, and what else is to be so. */
interface StandingClaim extends Pick<JobRecord, '_id' | 'fence'> {
  leaseUntil?: { $not: { $gt: Date } };
  deadlineAt?: { $lte: Date };
}

/**
 * Ends the attempt of this claim, if it still stands, and says in the timeline how.
 * @returns whether it still stood
 */
export async function endAttempt(
  Job: Model<JobRecord>,
  { _id, fence, ...more }: StandingClaim,
  update: mongo.UpdateFilter<JobRecord>,
  { at, outcome, error }: AttemptEnd,
): Promise<boolean> {
  const claim = { ...byId<JobRecord>(_id, { fence, status: 'in_progress' }), ...more };
  const end = {
    'attempts.$.endedAt': at,
    'attempts.$.outcome': outcome,
    ...(error !== undefined && { 'attempts.$.error': error }),
  };
  const jobs = jobCollection(Job);
  const told = await jobs.updateOne(
    { ...claim, attempts: { $elemMatch: { fence } } },
    { ...update, $set: { ...update.$set, ...end } },
    { ignoreUndefined: true },
  );
  if (told.matchedCount === 1) return true;
  // A claim of an earlier version stands in no timeline.
  const untold = await jobs.updateOne({ ...claim, 'attempts.fence': { $ne: fence } }, update, {
    ignoreUndefined: true,
  });
  return untold.matchedCount === 1;
}
