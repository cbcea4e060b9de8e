import { isFinal, type JobStatus } from '@aigolos/contracts';
import type { AnyJobRecord } from '@aigolos/db';
import { deletedJobs, faultTimes, jobsOfLoad, type Rule, type Violation } from './case.ts';

/** Every acknowledged job is there, and every job, acknowledged or not, has ended. */
export const everyJobEnds: Rule = (given) => {
  const { evidence, journal } = given;
  const deleted = deletedJobs(given);
  const violations: Violation[] = [];
  for (const about of new Set(journal.of('acknowledged').map(({ job }) => job))) {
    if (!evidence.jobs.has(about) && !deleted.has(about)) {
      violations.push({ rule: 'lost', about, what: 'was acknowledged and is not there' });
    }
  }
  for (const job of evidence.jobs.values()) {
    if (!isFinal(job.status)) violations.push({ rule: 'lost', about: job._id, what: `is still ${job.status}` });
  }
  for (const { job: about } of journal.of('gone')) {
    if (!deleted.has(about)) violations.push({ rule: 'lost', about, what: 'was not found, though nobody deleted it' });
  }
  return violations;
};

/** One final state, which stays as it is; states only go forward, save from in_progress back to queued. */
export const oneFinalState: Rule = ({ journal, evidence }) => {
  const violations: Violation[] = [];
  const ends = new Map<string, Seen>();
  const deletedAt = new Map(journal.of('deleted').map(({ job, at }) => [job, at]));
  const judge = (about: string, now: Seen, where: string) => {
    const end = ends.get(about);
    if (!end) {
      if (isFinal(now.status)) ends.set(about, now);
    } else if (!isSame(end, now) && (now.askedAt >= end.at || isFinal(now.status))) {
      const what = `was ${describe(end)} and then, ${where}, ${describe(now)}`;
      violations.push({ rule: 'changed_after_end', about, what });
    }
  };
  for (const { job, status, finishedAt, usage, at, askedAt } of journal.of('seen')) {
    judge(job, { status, finishedAt, usage, at, askedAt }, 'as the client saw it');
    const gone = deletedAt.get(job);
    if (gone !== undefined && askedAt > gone) {
      violations.push({ rule: 'seen_after_delete', about: job, what: `was seen ${at - gone} ms after its deletion` });
    }
  }
  for (const about of ends.keys()) {
    const job = evidence.jobs.get(about);
    if (!job) continue;
    const { status } = job;
    const finishedAt = job.finishedAt ? Math.floor(job.finishedAt.getTime() / 1_000) : null;
    const now = Number.POSITIVE_INFINITY;
    judge(about, { status, finishedAt, usage: usageView(job), at: now, askedAt: now }, 'in the database');
  }
  return violations;
};

/** States that the load gave no reason for. */
export const noOtherStates: Rule = (given) => {
  const violations: Violation[] = [];
  for (const { job, operation } of jobsOfLoad(given)) {
    const because = reasonFor(job, operation);
    if (because !== undefined) violations.push({ rule: 'wrong_state', about: job._id, what: because });
  }
  for (const { op: about, http, code } of given.journal.of('refused')) {
    if (!ALLOWED_REFUSALS.has(code)) {
      violations.push({ rule: 'refused', about, what: `a valid request was refused: ${http} ${code}` });
    }
  }
  return violations;
};

/** A synchronous answer to a key whose job still runs. */
const ALLOWED_REFUSALS = new Set(['IDEMPOTENCY_KEY_IN_USE', 'RESULT_NOT_READY', 'CONVERSATION_NOT_FOUND']);

function reasonFor(
  { status, failure, crashes }: AnyJobRecord,
  operation: { cancelAfterMs?: number; finishWithinSeconds?: number },
): string | undefined {
  switch (status) {
    case 'failed':
      // Workers that were killed again and again with the same job are what the limit is for.
      if (failure?.code === 'ENGINE_CRASHED' && crashes >= 3) return undefined;
      return `failed, and nothing was wrong with it: ${failure?.code} ${failure?.message}`;
    case 'cancelled':
      return operation.cancelAfterMs === undefined ? 'was cancelled, and nobody asked for it' : undefined;
    case 'expired':
      return operation.finishWithinSeconds === undefined ? 'expired, and had no deadline' : undefined;
    case 'incomplete':
      return 'is incomplete, and had no limit';
    case 'queued':
    case 'in_progress':
    case 'completed':
      return undefined;
  }
}

/** A renewal carries the wish to cancel in when the message about it was lost. */
const CANCEL_SEEN_WITHIN_MS = 7_000;

/** Once a cancel is acknowledged the job ends: cancelled, or completed before anybody could stop it. */
export const cancelsAreKept: Rule = (given) => {
  const violations: Violation[] = [];
  const faults = faultTimes(given);
  for (const { job: about, at } of given.journal.of('cancel_acknowledged')) {
    const job = given.evidence.jobs.get(about);
    if (job?.status !== 'completed' || !job.finishedAt) continue;
    const lateMs = job.finishedAt.getTime() - at;
    const disturbed = faults.some(({ begin, end }) => begin < job.finishedAt!.getTime() && end > at);
    if (lateMs > CANCEL_SEEN_WITHIN_MS && !disturbed) {
      violations.push({ rule: 'cancel_lost', about, what: `completed ${lateMs} ms after its cancel was acknowledged` });
    }
  }
  return violations;
};

interface Seen {
  status: JobStatus;
  finishedAt: number | null;
  usage: string;
  askedAt: number;
  at: number;
}

const isSame = (a: Seen, b: Seen) => a.status === b.status && a.finishedAt === b.finishedAt && a.usage === b.usage;
const describe = ({ status, finishedAt, usage }: Seen) => `${status} at ${finishedAt} with usage ${usage}`;

/** As the gateway shows it. */
function usageView({ usage }: AnyJobRecord): string {
  if (!usage) return 'null';
  const { audioSeconds, inputCharacters, promptTokens, completionTokens, computeMs } = usage;
  return JSON.stringify({
    ...(audioSeconds !== undefined && { audio_seconds: audioSeconds }),
    ...(inputCharacters !== undefined && { input_characters: inputCharacters }),
    ...(promptTokens !== undefined && { prompt_tokens: promptTokens }),
    ...(completionTokens !== undefined && { completion_tokens: completionTokens }),
    ...(computeMs !== undefined && { compute_ms: computeMs }),
  });
}
