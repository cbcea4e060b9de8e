import {
  type AccountLimits,
  type Amounts,
  type LimitName,
  MEASURES,
  type Measure,
  NO_AMOUNTS,
  periodEnd,
  periodOf,
  QUOTA_PERIODS,
  type QuotaPeriod,
} from '@aigolos/contracts';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type { QuotaRecord, Reservation } from '../models/usage.model.ts';
import type { UsageRepository } from './usage.repository.ts';

/** Why nothing was set aside: the limit, what is taken of it, and what was asked for. */
export interface QuotaRefusal {
  name: LimitName;
  limit: number;
  taken: number;
  asked: number;
  /** When all of a quota is there again. */
  resetsAt?: Date;
}

/** A job's reservation that nobody has settled. */
export interface HeldReservation {
  account: string;
  job: string;
  reservation: Reservation;
}

export type QuotaState = Pick<QuotaRecord, QuotaPeriod | 'taken' | 'jobs'>;

/** What accounts with limits have taken of them. */
export interface QuotasRepository {
  /**
   * Sets aside what a job is likely to take, if all limits have room for it: one conditional write, so that of many at once no
   * more pass than there is room for. The first of an account, or of a period, takes some more.
   */
  reserve(
    account: string,
    job: string,
    wanted: { amounts: Amounts; limits: AccountLimits; now: Date },
  ): Promise<{ reservation: Reservation } | { refusal: QuotaRefusal }>;
  /** Puts what was used in the place of what was set aside. @returns true to one caller in all. */
  settle(account: string, job: string, ended: { reservation: Reservation; used: Amounts }): Promise<boolean>;
  /** What is taken now; undefined where nothing was counted yet. */
  stateOf(account: string, now: Date): Promise<QuotaState | undefined>;
  /** What was set aside before then and is not settled. */
  heldBefore(time: Date): AsyncIterable<HeldReservation>;
  /** Has an account counted anew from what it used, as when it gets limits; not while something is set aside. */
  recount(account: string): Promise<void>;
  deleteOf(account: string): Promise<void>;
}

export function createQuotasRepository(Quota: Model<QuotaRecord>, usage: UsageRepository): QuotasRepository {
  /** Begins with what the account has used before it had limits. */
  async function begin(account: string, { day, month }: Record<QuotaPeriod, string>): Promise<void> {
    const since = (text: string) => usage.takenSince(account, Date.parse(text) / 1_000);
    const taken = { day: await since(day), month: await since(`${month}-01`) };
    await Quota.create({ _id: account, day, month, taken, jobs: 0, held: {} }).catch((error: unknown) => {
      if (!isDuplicateKey(error)) throw error;
    });
  }

  /** One of several callers matches. */
  async function turnOver(account: string, seen: QuotaState, now: Record<QuotaPeriod, string>): Promise<void> {
    const passed = QUOTA_PERIODS.filter((period) => seen[period] < now[period]);
    const fresh = passed.flatMap((period) => [
      [period, now[period]],
      [`taken.${period}`, NO_AMOUNTS],
    ]);
    await Quota.updateOne({ _id: account, day: seen.day, month: seen.month }, { $set: Object.fromEntries(fresh) });
  }

  return {
    async reserve(account, job, { amounts, limits, now }) {
      const current = { day: periodOf('day', now), month: periodOf('month', now) };
      for (;;) {
        const reservation = { ...current, amounts };
        const { matchedCount } = await Quota.updateOne(
          { _id: account, ...current, ...roomFor(amounts, limits) },
          {
            $inc: { jobs: 1, ...increments('day', amounts), ...increments('month', amounts) },
            $set: { [`held.${job}`]: { ...reservation, at: now } },
          },
        );
        if (matchedCount === 1) return { reservation };
        const seen = await Quota.findOne({ _id: account }, { held: 0 }).lean();
        if (!seen) await begin(account, current);
        else if (QUOTA_PERIODS.some((period) => seen[period] < current[period])) await turnOver(account, seen, current);
        // Another process has a clock that is ahead: what is over for one is over for all.
        else if (QUOTA_PERIODS.some((period) => seen[period] > current[period]))
          Object.assign(current, periodsOf(seen));
        else {
          const refusal = whyNot(seen, { amounts, limits });
          if (refusal) return { refusal };
        }
      }
    },

    async settle(account, job, { reservation, used }) {
      const held = `held.${job}`;
      for (let current = periodsOf(reservation); ; ) {
        const difference = Object.fromEntries(
          MEASURES.map((measure) => [measure, used[measure] - reservation.amounts[measure]]),
        ) as Amounts;
        // What was taken of a day that is over is nothing to the next.
        const going = QUOTA_PERIODS.filter((period) => current[period] === reservation[period]);
        const changes = going.map((period) => increments(period, difference));
        const { matchedCount } = await Quota.updateOne(
          { _id: account, ...current, [held]: { $exists: true } },
          { $inc: Object.assign({ jobs: -1 }, ...changes) as Record<string, number>, $unset: { [held]: 1 } },
        );
        if (matchedCount === 1) return true;
        const seen = await Quota.findOne({ _id: account, [held]: { $exists: true } }, { day: 1, month: 1 }).lean();
        if (!seen) return false;
        current = periodsOf(seen);
      }
    },

    async stateOf(account, now) {
      const seen = await Quota.findOne({ _id: account }, { held: 0 }).lean();
      if (!seen) return undefined;
      const { day, month } = { day: periodOf('day', now), month: periodOf('month', now) };
      return {
        jobs: seen.jobs,
        day: seen.day < day ? day : seen.day,
        month: seen.month < month ? month : seen.month,
        taken: {
          day: seen.day < day ? NO_AMOUNTS : seen.taken.day,
          month: seen.month < month ? NO_AMOUNTS : seen.taken.month,
        },
      };
    },

    async *heldBefore(time) {
      for await (const { _id: account, held } of Quota.find({ jobs: { $gt: 0 } }, { held: 1 })
        .lean()
        .cursor()) {
        for (const [job, { at, ...reservation }] of Object.entries(held)) {
          if (at < time) yield { account, job, reservation };
        }
      }
    },
    async recount(account) {
      await Quota.deleteOne({ _id: account, jobs: 0 });
    },
    async deleteOf(account) {
      await Quota.deleteOne({ _id: account });
    },
  };
}

function periodsOf({ day, month }: Record<QuotaPeriod, string>): Record<QuotaPeriod, string> {
  return { day, month };
}

function increments(period: QuotaPeriod, amounts: Amounts): Record<string, number> {
  return Object.fromEntries(MEASURES.map((measure) => [`taken.${period}.${measure}`, amounts[measure]]));
}

/** Each quota that the job takes of. */
function* quotasFor(
  amounts: Amounts,
  limits: AccountLimits,
): Generator<{ period: QuotaPeriod; measure: Measure; name: LimitName; limit: number }> {
  for (const period of QUOTA_PERIODS) {
    for (const measure of MEASURES) {
      const name = `${measure}_per_${period}` as const;
      const limit = limits[name];
      if (limit !== undefined && amounts[measure] > 0) yield { period, measure, name, limit };
    }
  }
}

function roomFor(amounts: Amounts, limits: AccountLimits): Record<string, unknown> {
  const room = Array.from(quotasFor(amounts, limits), ({ period, measure, limit }) => [
    `taken.${period}.${measure}`,
    { $lte: limit - amounts[measure] },
  ]);
  const { concurrent_jobs: most } = limits;
  return { ...Object.fromEntries(room), ...(most !== undefined && { jobs: { $lt: most } }) };
}

function whyNot(
  seen: QuotaState,
  { amounts, limits }: { amounts: Amounts; limits: AccountLimits },
): QuotaRefusal | undefined {
  for (const { period, measure, name, limit } of quotasFor(amounts, limits)) {
    const [taken, asked] = [seen.taken[period][measure], amounts[measure]];
    if (taken + asked > limit) return { name, limit, taken, asked, resetsAt: periodEnd(period, seen[period]) };
  }
  const { concurrent_jobs: most } = limits;
  if (most === undefined || seen.jobs < most) return undefined;
  return { name: 'concurrent_jobs', limit: most, taken: seen.jobs, asked: 1 };
}
