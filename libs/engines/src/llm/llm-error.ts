import { AIGolosError, LlmServiceError } from '@aigolos/contracts';

/** What to throw for an error of an engine: the reason of an abort, a coded error as it is, else a retryable failure. */
export function toLlmError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AIGolosError) return error;
  return new LlmServiceError('The language model failed.', {
    code: 'LLM_ENGINE_FAILED',
    retryable: true,
    cause: error,
  });
}
