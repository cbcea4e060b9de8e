/** What a detector is given at once, or a multiple of it: 32 ms of mono f32 PCM at 16 kHz. */
export const VAD_WINDOW_SAMPLES = 512;

/** Finds out where in a sound somebody speaks. Serves any number of streams and never blocks the event loop. */
export interface VoiceActivityDetector {
  /** Begins a stream of its own; whoever does ends it. */
  listen(): VoiceActivityStream;
  /** Ends what runs and frees memory. Safe to call twice. */
  close(): Promise<void>;
}

/** One sound, listened to from its beginning. */
export interface VoiceActivityStream {
  readonly windowSamples: number;
  /**
   * Listens to the next windows; `samples` is a whole number of them.
   * @returns one number a window: 1 where somebody speaks, else 0.
   * @throws AsrServiceError `ASR_ENGINE_FAILED`, retryable.
   */
  detect(samples: Float32Array): Promise<Uint8Array>;
  /** Forgets everything: what comes next is heard as if nothing had come before. */
  reset(): void;
  end(): void;
}
