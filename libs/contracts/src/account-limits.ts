import { z } from 'zod';

/** What a job takes of a quota. Audio counts in whole seconds, rounded up. */
export const MEASURES = ['requests', 'audio_seconds', 'characters', 'tokens'] as const;
export type Measure = (typeof MEASURES)[number];
export type Amounts = Record<Measure, number>;

/** In UTC. */
export const QUOTA_PERIODS = ['day', 'month'] as const;
export type QuotaPeriod = (typeof QUOTA_PERIODS)[number];
export type QuotaName = `${Measure}_per_${QuotaPeriod}`;

/** Requests that make work, in any minute: of the whole account, and of each of its keys. */
export const RATE_NAMES = ['requests_per_minute', 'key_requests_per_minute'] as const;
export type RateName = (typeof RATE_NAMES)[number];

export const QUOTA_NAMES: readonly QuotaName[] = QUOTA_PERIODS.flatMap((period) =>
  MEASURES.map((measure): QuotaName => `${measure}_per_${period}`),
);

/** All that can be limited for an account. `concurrent_jobs` are those that wait or run. */
export const LIMIT_NAMES: readonly LimitName[] = [...RATE_NAMES, 'concurrent_jobs', ...QUOTA_NAMES];
export type LimitName = RateName | 'concurrent_jobs' | QuotaName;

/** What an account may use; what is absent is not limited. */
export type AccountLimits = Partial<Record<LimitName, number>>;

/** What an operator has set for one account: null is no limit, what is absent follows the installation. */
export type OwnLimits = Partial<Record<LimitName, number | null>>;

const RIGHT = 'a whole number of at least 0, or none';
const MOST = 1e15;

/** Limits as they are written: `requests_per_minute=60, tokens_per_day=100000, concurrent_jobs=none`. */
export const OwnLimitsSchema = z.string().transform((text, context): OwnLimits => {
  const limits: OwnLimits = {};
  for (const item of text.split(',').filter((part) => part.trim() !== '')) {
    const [name = '', value = ''] = item.split('=', 2).map((part) => part.trim());
    const limit = value.toLowerCase() === 'none' ? null : Number(value);
    const wrong = problemWith(limits, { name, value, limit });
    if (wrong) context.addIssue({ code: 'custom', message: wrong, path: [name] });
    else limits[name as LimitName] = limit;
  }
  return limits;
});

/** The limits that hold for an account. */
export function resolveLimits(installation: AccountLimits, own: OwnLimits = {}): AccountLimits {
  const all = { ...installation, ...own };
  return Object.fromEntries(
    LIMIT_NAMES.map((name) => [name, all[name]]).filter(([, limit]) => typeof limit === 'number'),
  );
}

/** Does anything have to be counted before an account's job is taken? Rates are counted elsewhere. */
export function hasQuotas(limits: AccountLimits): boolean {
  return limits.concurrent_jobs !== undefined || QUOTA_NAMES.some((name) => limits[name] !== undefined);
}

/** The name of a period's instance: `2026-11-28` or `2026-11`. They sort by time. */
export function periodOf(period: QuotaPeriod, at: Date): string {
  return at.toISOString().slice(0, period === 'day' ? 10 : 7);
}

/** When what is used up in the instance of a period is there again. */
export function periodEnd(period: QuotaPeriod, instance: string): Date {
  const end = new Date(`${instance}${period === 'day' ? '' : '-01'}T00:00:00Z`);
  if (period === 'day') end.setUTCDate(end.getUTCDate() + 1);
  else end.setUTCMonth(end.getUTCMonth() + 1);
  return end;
}

function problemWith(
  limits: OwnLimits,
  { name, value, limit }: { name: string; value: string; limit: number | null },
): string | undefined {
  const isKnown = LIMIT_NAMES.some((known) => known === name);
  if (!isKnown) return `there is no limit "${name}"; the limits are ${LIMIT_NAMES.join(', ')}`;
  if (Object.hasOwn(limits, name)) return `${name} is named twice`;
  const isRight = limit === null || (value !== '' && Number.isSafeInteger(limit) && limit >= 0 && limit <= MOST);
  return isRight ? undefined : `${name} must be ${RIGHT}, not "${value}"`;
}
