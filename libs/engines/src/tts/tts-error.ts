import { AIGolosError, TtsServiceError } from '@aigolos/contracts';

/** What to throw for an error of an engine: the reason of an abort, a coded error as it is, else a retryable failure. */
export function toTtsError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AIGolosError) return error;
  return new TtsServiceError('Speech synthesis failed.', { code: 'TTS_ENGINE_FAILED', retryable: true, cause: error });
}

/** For calls to an engine that was closed while they ran, or before. */
export function engineStopped(): TtsServiceError {
  return new TtsServiceError('Speech synthesis was stopped.', { code: 'TTS_ENGINE_FAILED', retryable: true });
}

/** @throws TtsServiceError (`TTS_ENGINE_REJECTED`) for a voice that the engine has not. */
export function requireVoice<V extends { id: string }>(voices: readonly V[], id: string): V {
  const voice = voices.find((candidate) => candidate.id === id);
  if (voice === undefined) {
    throw new TtsServiceError(`There is no voice "${id}" here.`, { code: 'TTS_ENGINE_REJECTED', param: 'voice' });
  }
  return voice;
}
