import { setTimeout as sleep } from 'node:timers/promises';

export const SILENT: unique symbol = Symbol('silent');

/** A promise's value, or SILENT when it takes longer; it is still pending then. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | typeof SILENT> {
  const timer = new AbortController();
  const silence: Promise<typeof SILENT> = sleep(ms, undefined, { signal: timer.signal })
    .catch(() => {})
    .then(() => SILENT);
  try {
    return await Promise.race([promise, silence]);
  } finally {
    timer.abort();
  }
}
