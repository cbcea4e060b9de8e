import { type AccountLimits, LimitError, type RateName } from '@aigolos/contracts';
import { RATE_WINDOW_SECONDS, type Rate, type RateLimiter } from '@aigolos/queue';

/** Whose requests are counted together. */
export type RateScope = 'account' | 'key';

export interface Caller {
  account: string;
  apiKey: string;
}

/** How many requests a scope may send in a window, and how many are left of them. */
export interface RateState {
  scope: RateScope;
  limit: number;
  /** Of those that were sent, as they were counted; undefined where nobody knows. */
  rate: Rate | undefined;
}

const LIMIT_OF: Record<RateScope, RateName> = { account: 'requests_per_minute', key: 'key_requests_per_minute' };
const SCOPES = Object.keys(LIMIT_OF) as RateScope[];
const WHOSE: Record<RateScope, string> = { account: 'This account', key: 'This API key' };

const nameOf = (scope: RateScope, { account, apiKey }: Caller) => `${scope}:${scope === 'account' ? account : apiKey}`;

/** The states of all rates that are limited; `ask` counts a request, or looks. */
export async function ratesOf(
  limits: AccountLimits,
  caller: Caller,
  ask: (name: string) => Promise<Rate | undefined>,
): Promise<RateState[]> {
  const states = SCOPES.map(async (scope) => {
    const limit = limits[LIMIT_OF[scope]];
    return limit === undefined ? undefined : { scope, limit, rate: await ask(nameOf(scope, caller)) };
  });
  return (await Promise.all(states)).filter((state) => state !== undefined);
}

/** A request was none that makes work. */
export async function giveBack(limiter: RateLimiter, states: RateState[], caller: Caller): Promise<void> {
  await Promise.all(states.map(({ scope }) => limiter.giveBack(nameOf(scope, caller))));
}

/** Of those that are counted, whose numbers are known. */
function counted(states: RateState[]): { scope: RateScope; limit: number; left: number; seconds: number }[] {
  return states.flatMap(({ scope, limit, rate }) =>
    rate ? [{ scope, limit, left: Math.max(0, limit - rate.taken), seconds: Math.ceil(rate.resetsInMs / 1_000) }] : [],
  );
}

/** Why a request that was counted is not taken: of several limits the one that lasts longest. */
export function tooOften(states: RateState[]): LimitError | undefined {
  const passed = states
    .filter(({ limit, rate }) => rate !== undefined && rate.taken > limit)
    .toSorted((one, other) => (other.rate?.resetsInMs ?? 0) - (one.rate?.resetsInMs ?? 0));
  const [worst] = passed;
  if (!worst?.rate) return undefined;
  const retryAfterSeconds = Math.min(RATE_WINDOW_SECONDS, Math.max(1, Math.ceil(worst.rate.resetsInMs / 1_000)));
  return new LimitError(
    `${WHOSE[worst.scope]} may send ${worst.limit} requests a minute that make work. Send it again in ${retryAfterSeconds} s.`,
    { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds },
  );
}

/**
 * What a client is told of its rates: `RateLimit` and `RateLimit-Policy` as draft-ietf-httpapi-ratelimit-headers-10 has them, and
 * OpenAI's `x-ratelimit-*`, which know one limit: the one of which least is left.
 */
export function rateHeaders(states: RateState[]): Record<string, string> {
  const rates = counted(states);
  const [tightest] = rates.toSorted((one, other) => one.left - other.left);
  if (!tightest) return {};
  return {
    'ratelimit-policy': rates.map(({ scope, limit }) => `"${scope}";q=${limit};w=${RATE_WINDOW_SECONDS}`).join(', '),
    ratelimit: rates.map(({ scope, left, seconds }) => `"${scope}";r=${left};t=${seconds}`).join(', '),
    'x-ratelimit-limit-requests': String(tightest.limit),
    'x-ratelimit-remaining-requests': String(tightest.left),
    'x-ratelimit-reset-requests': `${tightest.seconds}s`,
  };
}
