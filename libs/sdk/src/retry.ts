import { ApiError, ConnectionError } from './errors.ts';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8_000;
/** The service asks for no more than this; what stands between may. */
const LONGEST_RETRY_AFTER_SECONDS = 60;
/** Of what the service asks for, so that those whom it turned away together do not come back together. */
const RETRY_AFTER_JITTER = 0.25;

/** May the same request succeed a moment later? */
export function isWorthAnotherTry(error: unknown): error is ApiError | ConnectionError {
  if (error instanceof ConnectionError) return true;
  // A quota that is used up stays so until its day or month is over.
  const mayPass = error instanceof ApiError && (error.status === 429 || error.status === 503);
  return mayPass && error.code !== 'QUOTA_EXCEEDED';
}

/** How long to wait before try `failures + 1`: at least what the service asks for, else twice as long each time; with jitter. */
export function delayMs(error: ApiError | ConnectionError, failures: number, random = Math.random): number {
  const asked = error instanceof ApiError ? error.retryAfterSeconds : undefined;
  if (asked !== undefined) {
    return Math.min(asked, LONGEST_RETRY_AFTER_SECONDS) * 1_000 * (1 + RETRY_AFTER_JITTER * random());
  }
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1)) * (0.5 + random() / 2);
}

/** @throws the signal's reason, at once when it aborts. */
export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const abort = () => reject(signal?.reason as Error);
  signal?.addEventListener('abort', abort, { once: true });
  await promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  });
}
