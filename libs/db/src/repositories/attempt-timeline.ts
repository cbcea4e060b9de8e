import type { AttemptOutcomeName } from '@aigolos/contracts';
import type { Model, QueryFilter, UpdateQuery } from 'mongoose';
import type { AttemptRecord, JobRecord } from '../models/job.model.ts';

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

/** A conditional write that ends the attempt of this fence, and says in its timeline how. @returns whether it matched. */
export async function endAttempt(
  Job: Model<JobRecord>,
  filter: QueryFilter<JobRecord> & { _id: string; fence: number },
  update: UpdateQuery<JobRecord>,
  { at, outcome, error }: AttemptEnd,
): Promise<boolean> {
  const end = {
    'attempts.$.endedAt': at,
    'attempts.$.outcome': outcome,
    ...(error !== undefined && { 'attempts.$.error': error }),
  };
  const told = await Job.updateOne(
    { ...filter, 'attempts.fence': filter.fence },
    { ...update, $set: { ...update.$set, ...end } },
  );
  if (told.matchedCount === 1) return true;
  // A claim of an earlier version stands in no timeline.
  const untold = await Job.updateOne({ ...filter, 'attempts.fence': { $ne: filter.fence } }, update);
  return untold.matchedCount === 1;
}
