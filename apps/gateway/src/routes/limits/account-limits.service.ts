import {
  type AccountLimits,
  type LimitsView,
  MEASURES,
  NO_AMOUNTS,
  periodEnd,
  periodOf,
  QUOTA_PERIODS,
} from '@aigolos/contracts';
import type { Database, QuotaState } from '@aigolos/db';
import { RATE_WINDOW_SECONDS, type RateLimiter } from '@aigolos/queue';
import { unixSeconds } from '../../answers/job-view.ts';
import type { AccountLimitsDirectory } from '../../limits/account-limits.ts';
import { type Caller, type RateState, ratesOf } from '../../limits/rates.ts';

export interface AccountLimitsDeps {
  db: Pick<Database, 'access' | 'quotas' | 'usage'>;
  limits: AccountLimitsDirectory;
  limiter: RateLimiter;
}

/** What the caller's account may use, and what is left of it. */
export async function accountLimits({ db, limits, limiter }: AccountLimitsDeps, caller: Caller) {
  const { account } = caller;
  const now = new Date();
  const allowed = limits.in(await db.access.accountById(account));
  const state = (await db.quotas.stateOf(account, now)) ?? (await usedSoFar(db.usage, account, now));
  const rates = await ratesOf(allowed, caller, limiter.look);
  return {
    rates: rates.map(toRateView),
    concurrent_jobs: toJobsView(allowed, state),
    quotas: toQuotaViews(allowed, state),
  };
}

/** Of an account that had no limits until now. */
async function usedSoFar(
  usage: Pick<Database['usage'], 'takenSince'>,
  account: string,
  now: Date,
): Promise<QuotaState> {
  const [day, month] = [periodOf('day', now), periodOf('month', now)];
  const since = (date: string) => usage.takenSince(account, Date.parse(date) / 1_000);
  return { day, month, taken: { day: await since(day), month: await since(`${month}-01`) }, jobs: 0 };
}

type View = LimitsView['account'];

function toRateView({ scope, limit, rate }: RateState): View['rates'][number] {
  const view = { scope, limit, window_seconds: RATE_WINDOW_SECONDS };
  if (!rate) return { ...view, remaining: null, resets_at: null };
  const resetsAt = unixSeconds(new Date(Date.now() + rate.resetsInMs));
  return { ...view, remaining: Math.max(0, limit - rate.taken), resets_at: resetsAt };
}

function toJobsView({ concurrent_jobs: limit }: AccountLimits, { jobs: used }: QuotaState): View['concurrent_jobs'] {
  return limit === undefined ? null : { limit, used, remaining: Math.max(0, limit - used) };
}

function toQuotaViews(limits: AccountLimits, state: QuotaState): View['quotas'] {
  return QUOTA_PERIODS.flatMap((period) =>
    MEASURES.flatMap((measure) => {
      const limit = limits[`${measure}_per_${period}`];
      if (limit === undefined) return [];
      const used = { ...NO_AMOUNTS, ...state.taken[period] }[measure];
      const resetsAt = unixSeconds(periodEnd(period, state[period]));
      return [{ measure, period, limit, used, remaining: Math.max(0, limit - used), resets_at: resetsAt }];
    }),
  );
}
