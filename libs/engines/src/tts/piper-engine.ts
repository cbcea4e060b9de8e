import { TtsServiceError, type Voice } from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import type { OfflineTts } from 'sherpa-onnx-node';
import { abortable } from '../abortable.ts';
import { createSlots, type Slots } from '../slots.ts';
import { defaultThreads } from '../threads.ts';
import { findPiperFiles } from './piper-files.ts';
import { speakable } from './speakable.ts';
import { splitSentences } from './split-sentences.ts';
import { changeTempo } from './tempo.ts';
import type { TtsAudio, TtsEngine } from './tts-engine.ts';
import { engineStopped, requireVoice, toTtsError } from './tts-error.ts';

export interface PiperOptions {
  /** The catalogue id of the model. */
  model: string;
  /** Holds `model.onnx` (with sherpa-onnx's metadata) and `tokens.txt`. */
  modelDir: string;
  /** The folder `espeak-ng-data` itself. */
  espeakDataDir: string;
  /** In the order of the model's speakers; most have one. */
  voices: readonly Voice[];
  /** CPU threads; half of the cores unless said. */
  threads?: number | undefined;
  log: Logger;
}

/**
 * Runs a Piper voice in this process by sherpa-onnx, sentence by sentence; concurrent calls take turns by sentence.
 * The model speaks at its own pace and the speed is made afterwards: asked for 4, it would give 1.8 by itself.
 * @throws TtsServiceError (`TTS_ENGINE_FAILED`) when a file is missing or cannot be loaded.
 */
export async function createPiperEngine(options: PiperOptions): Promise<TtsEngine> {
  const turns = createSlots([await loadPiper(options)]);
  const closing = new AbortController();
  options.log.info({ model: options.model }, 'voice loaded');

  async function shutDown(): Promise<void> {
    closing.abort(engineStopped());
    // Waits for the sentence that is being spoken. The model itself goes with the last reference to it.
    await turns.acquire(new AbortController().signal);
  }

  let closed: Promise<void> | undefined;
  return {
    model: options.model,
    voices: options.voices,
    async *synthesize(text, { voice, speed }, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      try {
        either.throwIfAborted();
        const { language } = requireVoice(options.voices, voice);
        const speaker = options.voices.findIndex(({ id }) => id === voice);
        const pieces = splitSentences(text, { language });
        yield* changeTempo(speak(turns, pieces, speaker, either), speed);
      } catch (error) {
        throw toTtsError(error, either);
      }
    },
    close: () => (closed ??= shutDown()),
  };
}

async function* speak(
  turns: Slots<OfflineTts>,
  pieces: readonly string[],
  speaker: number,
  signal: AbortSignal,
): AsyncGenerator<TtsAudio> {
  for (const piece of pieces) {
    const text = speakable(piece);
    if (text === undefined) continue;
    const tts = await turns.acquire(signal);
    // sherpa-onnx splits by its own rules once more; between two of its sentences it can be stopped.
    const onProgress = () => (signal.aborted ? 0 : 1);
    const request = { text, sid: speaker, speed: 1, enableExternalBuffer: false, onProgress } as const;
    const spoken = tts.generateAsync(request).finally(() => turns.release(tts));
    const { samples, sampleRate } = await abortable(spoken, signal);
    yield { samples, sampleRateHz: sampleRate };
  }
}

async function loadPiper(options: PiperOptions): Promise<OfflineTts> {
  const vits = await findPiperFiles(options.model, options.modelDir, options.espeakDataDir);
  // Native code of 30 MB: loaded only by the process that runs a voice.
  const { default: sherpa } = await import('sherpa-onnx-node');
  const numThreads = options.threads ?? defaultThreads();
  return sherpa.OfflineTts.createAsync({ model: { vits, numThreads, provider: 'cpu' }, maxNumSentences: 1 }).catch(
    (cause: unknown) => {
      throw new TtsServiceError(
        `The voice ${options.model} cannot be loaded from ${options.modelDir}. Check it: aigolos models verify ${options.model}`,
        { code: 'TTS_ENGINE_FAILED', cause },
      );
    },
  );
}
