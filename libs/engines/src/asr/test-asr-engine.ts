import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { directiveIn, obey } from '../test-engine/directives.ts';
import { ASR_SAMPLE_RATE_HZ, type AsrEngine, type AsrOptions } from './asr-engine.ts';
import { asrFailed, asrRejected } from './asr-error.ts';
import { orderTranscript, type RawSegment } from './transcript.ts';

export interface TestAsrOptions {
  /** The id that it has; `test-asr` unless said. */
  model?: string | undefined;
  /** How long a second of sound takes. */
  paceMsPerAudioSecond?: number | undefined;
}

const WORDS = 'alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa'.split(
  ' ',
);
const SEGMENT_SECONDS = 10;
/** Softer than this all through is silence. */
const SILENCE = 1e-3;

/**
 * An engine whose transcript follows from the samples, for tests of everything around it: each second that is not silent
 * is one of sixteen words, in capitals where it is to be translated, and each ten seconds are a segment. The prompt can hold the directives of all test engines
 * (`[[fail]]`, `[[hang]]`, …).
 */
export function createTestAsrEngine({ model = 'test-asr', paceMsPerAudioSecond = 0 }: TestAsrOptions = {}): AsrEngine {
  const closing = new AbortController();
  return {
    model,
    async transcribe(samples, options, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      try {
        either.throwIfAborted();
        await obey(directiveIn(options.prompt ?? ''), either, toDirectedError);
        const segments: RawSegment[] = [];
        for (let at = 0; at < samples.length; at += ASR_SAMPLE_RATE_HZ) {
          const second = samples.subarray(at, at + ASR_SAMPLE_RATE_HZ);
          const word = wordOf(second);
          if (word !== undefined)
            addWord(segments, options.task === 'translate' ? word.toUpperCase() : word, at / ASR_SAMPLE_RATE_HZ);
          const paceMs = (paceMsPerAudioSecond * second.length) / ASR_SAMPLE_RATE_HZ;
          await (paceMs > 0 ? sleep(paceMs, undefined, { signal: either }) : nextTurn());
          either.throwIfAborted();
        }
        const { words, ...transcript } = orderTranscript(segments, samples.length / ASR_SAMPLE_RATE_HZ);
        return {
          ...transcript,
          language: options.language ?? 'en',
          words: options.wordTimestamps ? words : [],
          warnings: warningsAbout(options),
        };
      } catch (error) {
        either.throwIfAborted();
        throw error;
      }
    },
    async close() {
      closing.abort(asrFailed('The test engine was stopped.'));
    },
  };
}

/** FNV-1a over the samples as 16-bit numbers, so that a rounding of floats changes nothing. */
function wordOf(samples: Float32Array): string | undefined {
  if (samples.every((sample) => Math.abs(sample) < SILENCE)) return undefined;
  let hash = 0x811c9dc5;
  for (const sample of samples) hash = Math.imul(hash ^ (Math.round(sample * 0x7fff) & 0xffff), 0x01000193);
  return WORDS[(hash >>> 0) % WORDS.length];
}

function addWord(segments: RawSegment[], word: string, start: number): void {
  const end = start + 1;
  const seek = Math.floor(start / SEGMENT_SECONDS) * SEGMENT_SECONDS * 100;
  let segment = segments.at(-1);
  if (segment?.seek !== seek) {
    const unknown = { tokens: [], temperature: 0, avg_logprob: 0, compression_ratio: 1, no_speech_prob: 0 };
    segment = { ...unknown, seek, start, end, text: '', words: [] };
    segments.push(segment);
  }
  segment.end = end;
  segment.text += ` ${word}`;
  segment.words.push({ word, start, end });
}

function warningsAbout(options: AsrOptions): string[] {
  return options.temperature === undefined ? [] : ['The test engine ignores temperature.'];
}

function toDirectedError(message: string, retryable: boolean): Error {
  return retryable ? asrFailed(message) : asrRejected(message);
}
