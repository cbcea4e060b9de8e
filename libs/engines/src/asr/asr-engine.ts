import type { TranscriptSegment, TranscriptWord } from '@aigolos/contracts';

/** PCM that every ASR engine takes: mono, f32 in [-1, 1], 16 kHz. */
export const ASR_SAMPLE_RATE_HZ = 16_000;

/** The language of a transcript in which nothing was said. */
export const UNKNOWN_LANGUAGE = 'unknown';

/** Whisper's words for it: what is said as it is said, or in English. */
export type AsrTask = 'transcribe' | 'translate';

export interface AsrOptions {
  /** `transcribe` unless said. */
  task?: AsrTask | undefined;
  /** ISO 639-1; detected where absent. */
  language?: string | undefined;
  /** Words that are likely to occur, or the text before; a hint, not an order. */
  prompt?: string | undefined;
  temperature?: number | undefined;
  wordTimestamps: boolean;
}

/** Times are seconds from the beginning of the samples that were given. `id` and `seek` count within them too. */
export interface AsrTranscript {
  /** What is spoken, as ISO 639-1; `unknown` where it was not asked for and nothing was said to tell it by. */
  language: string;
  /** Texts keep the space before them, where the language has one: joined without anything between, they are the transcript. */
  segments: TranscriptSegment[];
  /** Without spaces around them; empty unless asked for. */
  words: TranscriptWord[];
  /** What of the options the engine could not honour, in words for the caller. */
  warnings: string[];
}

/**
 * Turns speech into text. The caller cuts long audio into chunks and owns retries; an engine translates one call.
 * It accepts any length, silence (an empty transcript) and no samples at all, serves concurrent calls (one after another
 * if need be), and never blocks the event loop.
 */
export interface AsrEngine {
  /** The catalogue id of the model that runs. */
  readonly model: string;
  /**
   * @throws AsrServiceError (`ASR_ENGINE_FAILED`, retryable) when the engine fails, (`ASR_ENGINE_REJECTED`, not retryable)
   *   when it cannot serve these options; `signal.reason` within a second of an abort.
   */
  transcribe(samples: Float32Array, options: AsrOptions, signal: AbortSignal): Promise<AsrTranscript>;
  /** Ends child processes and frees memory. Safe to call twice. */
  close(): Promise<void>;
}
