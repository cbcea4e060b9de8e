import type { DeliveryAttempt, WebhookDeliveryRecord } from '@aigolos/db';

/** Up to so much longer than its plan says is each pause, so that what failed together does not come back together. */
const JITTER = 0.2;

/**
 * How long to wait before the next attempt; `undefined` where there is none.
 * @param made attempts made so far, this one included.
 * @param retryAfterMs what the receiver asked for; obeyed up to the longest pause of the plan.
 */
export function retryWaitMs(
  made: number,
  { pausesMs, retryAfterMs = 0 }: { pausesMs: readonly number[]; retryAfterMs?: number | undefined },
  random = Math.random,
): number | undefined {
  const pause = pausesMs[made - 1];
  if (pause === undefined) return undefined;
  const planned = pause * (1 + JITTER * random());
  return Math.round(Math.max(planned, Math.min(retryAfterMs, Math.max(...pausesMs))));
}

/** Milliseconds of a Retry-After header: seconds or a date (RFC 9110, 10.2.3); `undefined` where it says nothing of use. */
export function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}

/** Does an answer of this status oblige us to its Retry-After? */
export function mayAskForPatience(status: number): boolean {
  return status === 429 || status >= 500;
}

/** How many attempts the present round of retries has had: a replay begins a new one. */
export function attemptsOfRound({
  attempts,
  replayedAt,
}: Pick<WebhookDeliveryRecord, 'attempts' | 'replayedAt'>): number {
  const isOfRound = ({ at }: DeliveryAttempt) => replayedAt === undefined || at >= replayedAt;
  return attempts.filter(isOfRound).length;
}
