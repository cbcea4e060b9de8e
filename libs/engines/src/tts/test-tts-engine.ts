import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { TtsServiceError, type Voice } from '@aigolos/contracts';
import { directiveIn, obey } from '../test-engine/directives.ts';
import { speakable } from './speakable.ts';
import type { TtsAudio, TtsEngine } from './tts-engine.ts';
import { engineStopped, requireVoice } from './tts-error.ts';

export interface TestTtsOptions {
  /** The id that it has; `test-tts` unless said. */
  model?: string | undefined;
  /** `test-low` and `test-high` unless said; each has a pitch of its own. */
  voices?: readonly Voice[] | undefined;
  /** Time that each character takes to be made. */
  paceMsPerCharacter?: number | undefined;
}

/** How long a character sounds at speed 1. */
export const TEST_TTS_SECONDS_PER_CHARACTER = 0.06;
export const TEST_TTS_SAMPLE_RATE_HZ = 24_000;

const VOICES: readonly Voice[] = [
  { id: 'test-low', name: 'Test low', language: 'en' },
  { id: 'test-high', name: 'Test high', language: 'en' },
];
const CHUNK_CHARACTERS = 20;
const LOWEST_PITCH_HZ = 220;
const AMPLITUDE = 0.25;

/**
 * An engine whose audio follows from its input, for tests of everything around it: a steady tone, as long as the text
 * has characters (0.06 s each at speed 1), in stretches of 20 of them. It obeys the directives of all test engines
 * (`[[fail]]`, `[[hang]]`, …) in the text.
 */
export function createTestTtsEngine(options: TestTtsOptions = {}): TtsEngine {
  const { model = 'test-tts', voices = VOICES, paceMsPerCharacter = 0 } = options;
  const closing = new AbortController();
  return {
    model,
    voices,
    async *synthesize(text, { voice, speed }, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      try {
        either.throwIfAborted();
        const pitchHz = LOWEST_PITCH_HZ * (1 + voices.indexOf(requireVoice(voices, voice)));
        await obey(directiveIn(text), either, toDirectedError);
        if (speakable(text) === undefined) return;
        const characters = Array.from(text).length;
        for (let at = 0; at < characters; at += CHUNK_CHARACTERS) {
          const count = Math.min(CHUNK_CHARACTERS, characters - at);
          await (paceMsPerCharacter > 0
            ? sleep(count * paceMsPerCharacter, undefined, { signal: either })
            : nextTurn(undefined, { signal: either }));
          yield tone(at, count, speed, pitchHz);
        }
      } catch (error) {
        either.throwIfAborted();
        throw error;
      }
    },
    async close() {
      closing.abort(engineStopped());
    },
  };
}

/** The samples of characters `at` to `at + count`; stretches that follow each other join without a click. */
function tone(at: number, count: number, speed: number, pitchHz: number): TtsAudio {
  const samplesPerCharacter = (TEST_TTS_SAMPLE_RATE_HZ * TEST_TTS_SECONDS_PER_CHARACTER) / speed;
  const begin = Math.round(at * samplesPerCharacter);
  const end = Math.round((at + count) * samplesPerCharacter);
  const radians = (2 * Math.PI * pitchHz) / TEST_TTS_SAMPLE_RATE_HZ;
  const samples = new Float32Array(end - begin);
  for (let index = 0; index < samples.length; index += 1) {
    samples[index] = AMPLITUDE * Math.sin((begin + index) * radians);
  }
  return { samples, sampleRateHz: TEST_TTS_SAMPLE_RATE_HZ };
}

function toDirectedError(message: string, retryable: boolean): TtsServiceError {
  return new TtsServiceError(message, { code: retryable ? 'TTS_ENGINE_FAILED' : 'TTS_ENGINE_REJECTED', retryable });
}
