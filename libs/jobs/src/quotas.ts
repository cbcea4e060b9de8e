import {
  type AccountLimits,
  amountsOf,
  estimateOf,
  hasQuotas,
  isMetered,
  type JobKind,
  LimitError,
  type LimitName,
  NO_AMOUNTS,
} from '@aigolos/contracts';
import type { JobRecord, QuotaRefusal, Reservation } from '@aigolos/db';
import { messageOf } from '@aigolos/runtime';
import type { JobsDeps } from './deps.ts';

type QuotaDeps = Pick<JobsDeps, 'log'> & { db: Pick<JobsDeps['db'], 'quotas'> };
type Reserved = Pick<JobRecord, '_id' | 'account' | 'reservation'>;

/** A job ends now and then; what is full may have room again in a moment. */
const TRY_AGAIN_SECONDS = 5;

/**
 * Sets aside what a job is likely to take of its account's limits; nothing, and without a question to the database, where it has none.
 * @throws LimitError `QUOTA_EXCEEDED` or `TOO_MANY_JOBS`, which say what is taken and when there is room again.
 */
export async function reserveQuota<Kind extends JobKind>(
  { db }: QuotaDeps,
  job: Pick<JobRecord<Kind>, '_id' | 'account' | 'kind' | 'task'>,
  limits: AccountLimits,
): Promise<Reservation | undefined> {
  if (!hasQuotas(limits) || !isMetered(job.kind)) return undefined;
  const amounts = estimateOf(job);
  const answer = await db.quotas.reserve(job.account, job._id, { amounts, limits, now: new Date() });
  if ('refusal' in answer) throw refused(answer.refusal);
  return answer.reservation;
}

/** After the end of a job: what it used stands in the place of what was set aside. Never fails: the reconciler makes up for it. */
export async function settleQuota(
  { db, log }: QuotaDeps,
  { _id: id, account, reservation }: Reserved,
  end: Parameters<typeof amountsOf>[0] | 'never_was',
): Promise<void> {
  if (!reservation) return;
  const used = end === 'never_was' ? NO_AMOUNTS : amountsOf(end);
  await db.quotas.settle(account, id, { reservation, used }).catch((error: unknown) => {
    log.warn({ jobId: id, reason: messageOf(error) }, 'a reservation was not settled; the reconciler will do it');
  });
}

const WHAT: Partial<Record<string, string>> = { audio_seconds: 'seconds of audio' };

function refused({ name, limit, taken, asked, resetsAt }: QuotaRefusal): LimitError {
  if (!resetsAt) {
    return new LimitError(
      `This account may have ${limit} jobs that wait or run at once, and has ${taken}. Send it again when one has ended.`,
      { code: 'TOO_MANY_JOBS', retryable: true, retryAfterSeconds: TRY_AGAIN_SECONDS },
    );
  }
  return new LimitError(
    `This account may use ${limit} ${inWords(name)} and has used ${taken}, with what its open jobs are likely to take; ` +
      `this request asks for ${asked}. All of it is there again at ${resetsAt.toISOString()}.`,
    { code: 'QUOTA_EXCEEDED' },
  );
}

function inWords(name: LimitName): string {
  const [measure = '', period] = name.split('_per_');
  return `${WHAT[measure] ?? measure} a ${period}`;
}
