/**
 * Exponential back-off with full jitter: a random wait up to `baseMs * 2^attempt`, at most `maxMs`. Attempts count from 0.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export function backoffMs(attempt: number, options: { baseMs: number; maxMs: number }, random = Math.random): number {
  return Math.round(random() * Math.min(options.maxMs, options.baseMs * 2 ** attempt));
}
