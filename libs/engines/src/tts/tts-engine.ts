import type { Voice } from '@aigolos/contracts';

export interface TtsOptions {
  /** Id of one of `engine.voices`. */
  voice: string;
  /** 1 is the voice's own pace; 2 takes half as long. 0.25 to 4. */
  speed: number;
}

/** A stretch of speech: mono f32 in [-1, 1]. All stretches of one call have the same rate. */
export interface TtsAudio {
  samples: Float32Array;
  sampleRateHz: number;
}

/**
 * Speaks a text. The caller cuts long texts into sentences and owns retries; an engine translates one call. It takes a
 * text without speakable characters (no audio, or silence), serves concurrent calls, and never blocks the event loop.
 */
export interface TtsEngine {
  /** The catalogue id of the model that runs. */
  readonly model: string;
  readonly voices: readonly Voice[];
  /**
   * Yields audio as it is made.
   * @throws TtsServiceError (`TTS_ENGINE_FAILED`, retryable; `TTS_ENGINE_REJECTED`, not retryable); `signal.reason`
   *   within a second of an abort.
   */
  synthesize(text: string, options: TtsOptions, signal: AbortSignal): AsyncGenerator<TtsAudio>;
  /** Ends child processes and frees memory. Safe to call twice. */
  close(): Promise<void>;
}
