import { AIGolosError, AsrServiceError } from '@aigolos/contracts';

/** A failure that another attempt may not meet. `cause` is for our logs only. */
export function asrFailed(message: string, cause?: unknown): AsrServiceError {
  return new AsrServiceError(message, { code: 'ASR_ENGINE_FAILED', retryable: true, cause });
}

/** The engine will never serve this call. */
export function asrRejected(message: string, options: { param?: string; cause?: unknown } = {}): AsrServiceError {
  return new AsrServiceError(message, { code: 'ASR_ENGINE_REJECTED', ...options });
}

/** What to throw for an error of an engine: the reason of an abort, a coded error as it is, else a retryable failure. */
export function toAsrError(error: unknown, message: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return error instanceof AIGolosError ? error : asrFailed(message, error);
}
