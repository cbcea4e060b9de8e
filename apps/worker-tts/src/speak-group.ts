import { TtsServiceError } from '@aigolos/contracts';
import type { TtsEngine, TtsOptions } from '@aigolos/engines/tts';
import { toS16le } from '@aigolos/media';
import type { PlannedSentence } from './speech-plan.ts';

/** Sentences that were spoken one after another: mono s16le, and the samples of each sentence. */
export interface SpokenGroup {
  pcm: Buffer[];
  /** Absent where nothing can be heard. */
  sampleRateHz?: number;
  sentences: number[];
}

export interface GroupOptions extends TtsOptions {
  /** The group ends with the sentence that makes it this long. */
  enoughSeconds: number;
  signal: AbortSignal;
  onSpoken: (sentence: PlannedSentence) => void;
}

/** A sentence is some ten seconds of speech; an engine that takes so long for it hangs. */
const SENTENCE_TIMEOUT_MS = 10 * 60_000;

/** Speaks sentences until they are long enough together, or there are no more. */
export async function speakGroup(
  engine: TtsEngine,
  plan: Iterable<PlannedSentence>,
  { enoughSeconds, signal, onSpoken, voice, speed }: GroupOptions,
): Promise<SpokenGroup> {
  const group: SpokenGroup = { pcm: [], sentences: [] };
  let total = 0;
  for (const sentence of plan) {
    let samples = 0;
    await withinTime(signal, async (limited) => {
      for await (const audio of engine.synthesize(sentence.text, { voice, speed }, limited)) {
        if (group.sampleRateHz !== undefined && group.sampleRateHz !== audio.sampleRateHz) throw otherRate();
        group.sampleRateHz = audio.sampleRateHz;
        group.pcm.push(toS16le(audio.samples));
        samples += audio.samples.length;
      }
    });
    total += samples;
    group.sentences.push(samples);
    onSpoken(sentence);
    if (group.sampleRateHz !== undefined && total / group.sampleRateHz >= enoughSeconds) break;
  }
  return group;
}

async function withinTime(signal: AbortSignal, speak: (limited: AbortSignal) => Promise<void>): Promise<void> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), SENTENCE_TIMEOUT_MS);
  try {
    await speak(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    if (!limit.signal.aborted || signal.aborted) throw error;
    throw new TtsServiceError(`A sentence was not spoken within ${SENTENCE_TIMEOUT_MS / 1_000} s.`, {
      code: 'TTS_ENGINE_FAILED',
      retryable: true,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Of a server behind an engine that was changed meanwhile. */
export function otherRate(): TtsServiceError {
  return new TtsServiceError('The voice has changed its sample rate in the middle of the text; speak it anew.', {
    code: 'TTS_ENGINE_FAILED',
  });
}
