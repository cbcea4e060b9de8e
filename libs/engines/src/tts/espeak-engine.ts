import { TtsServiceError, type Voice } from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import { ExecaError, execa } from 'execa';
import { type EspeakVoice, parseEspeakVoices } from './espeak-voices.ts';
import { speakable } from './speakable.ts';
import { changeTempo } from './tempo.ts';
import type { TtsAudio, TtsEngine } from './tts-engine.ts';
import { engineStopped, requireVoice, toTtsError } from './tts-error.ts';
import { readWav } from './wav.ts';

export interface EspeakOptions {
  /** The id that it has; `espeak-ng` unless said. */
  model?: string | undefined;
  /** The program; `espeak-ng` on the PATH unless said. */
  espeakPath?: string | undefined;
  /** Begins with these languages' voices, so the first is the default; then the others as espeak-ng lists them. */
  preferredLanguages?: readonly string[] | undefined;
  log: Logger;
}

/** espeak-ng's own pace in words per minute; what it takes for `-s` begins at 80. */
const NATURAL_WORDS_PER_MINUTE = 175;
const MIN_WORDS_PER_MINUTE = 80;

/**
 * Speaks some 130 languages by the program espeak-ng, one child process for each call: robotic, but fast and without a
 * model to fetch. Slower than it can go is made by stretching.
 * @throws TtsServiceError (`TTS_ENGINE_FAILED`) when the program is missing.
 */
export async function createEspeakEngine(options: EspeakOptions): Promise<TtsEngine> {
  const { model = 'espeak-ng', espeakPath = 'espeak-ng', preferredLanguages = ['en-US', 'ru'] } = options;
  const voices = byPreference(await listVoices(espeakPath), preferredLanguages);
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  options.log.info({ model, voices: voices.length }, 'espeak-ng found');
  return {
    model,
    voices: voices.map(({ id, name, language }): Voice => ({ id, name, language })),
    async *synthesize(text, { voice, speed }, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      try {
        either.throwIfAborted();
        const { espeakName } = requireVoice(voices, voice);
        const spoken = speakable(text);
        if (spoken === undefined) return;
        const wordsPerMinute = Math.max(MIN_WORDS_PER_MINUTE, Math.round(NATURAL_WORDS_PER_MINUTE * speed));
        const speech = speak({ espeakPath, espeakName, wordsPerMinute, text: spoken, signal: either, running });
        yield* changeTempo(speech, (speed * NATURAL_WORDS_PER_MINUTE) / wordsPerMinute);
      } catch (error) {
        throw toTtsError(error, either);
      }
    },
    async close() {
      closing.abort(engineStopped());
      await Promise.allSettled(running);
    },
  };
}

interface Call {
  espeakPath: string;
  espeakName: string;
  wordsPerMinute: number;
  text: string;
  signal: AbortSignal;
  running: Set<Promise<unknown>>;
}

async function* speak(call: Call): AsyncGenerator<TtsAudio> {
  const args = ['-v', call.espeakName, '-s', String(call.wordsPerMinute), '-b', '1', '--stdin', '--stdout'];
  const child = execa(call.espeakPath, args, {
    // It would read [[…]] as phonemes.
    input: call.text.replaceAll('[[', '[ ['),
    encoding: 'buffer',
    buffer: { stdout: false },
    cancelSignal: call.signal,
    forceKillAfterDelay: 500,
  });
  // Watched from the start: it can end before its output is read.
  const ended = child.then(
    () => undefined,
    (error: Error) => error,
  );
  call.running.add(ended);
  try {
    // The stream itself: execa's iterable throws the child's end where the reader stops early.
    yield* readWav(child.stdout);
    const error = await ended;
    if (error !== undefined) throw error;
  } finally {
    child.kill();
    await ended;
    call.running.delete(ended);
  }
}

async function listVoices(espeakPath: string): Promise<EspeakVoice[]> {
  try {
    const { stdout } = await execa(espeakPath, ['--voices']);
    return parseEspeakVoices(stdout);
  } catch (cause) {
    const isMissing = cause instanceof ExecaError && cause.code === 'ENOENT';
    throw new TtsServiceError(
      isMissing
        ? `The program ${espeakPath} is missing. Install it, on Debian and Ubuntu by: apt-get install espeak-ng`
        : `The program ${espeakPath} does not list its voices.`,
      { code: 'TTS_ENGINE_FAILED', cause },
    );
  }
}

function byPreference(voices: readonly EspeakVoice[], languages: readonly string[]): EspeakVoice[] {
  const rank = ({ language }: Voice) => {
    const index = languages.indexOf(language);
    return index < 0 ? languages.length : index;
  };
  return voices.toSorted((a, b) => rank(a) - rank(b));
}
