import { cutByLoudness, cutInPause, quietestPlace, SILENCE_KEPT_SECONDS } from './find-cut.ts';

export interface PcmChunk {
  /** Where it begins, in seconds from the beginning of the stream. */
  startSeconds: number;
  endSeconds: number;
  samples: Float32Array;
  /** False where it had to be cut though somebody may be speaking: its last word may be in two parts. */
  endsInPause: boolean;
  /**
   * Has the next chunk begin within this one, at the quietest place near that second of the stream, so that what comes
   * after it is heard again. To be called before the next chunk is taken.
   * @returns that place, in seconds.
   */
  endNear(seconds: number): number;
}

/** Tells where somebody speaks. What it says of a stretch may depend on what came before, back to the last reset. */
export interface SpeechDetector {
  readonly windowSamples: number;
  /** Takes a whole number of windows. @returns a number a window: 1 where somebody speaks, else 0. */
  detect(samples: Float32Array): Promise<Iterable<number>>;
  reset(): void;
}

export interface ChunkOptions {
  sampleRateHz: number;
  maxSeconds: number;
  /** Where to begin; what lies before is passed over. */
  startSeconds?: number | undefined;
  /** Cuts by loudness, and keeps all silence, where it is absent. */
  detector?: SpeechDetector | undefined;
}

/** `endNear` looks this far to either side: further off, the quietest place is within the next soft word. */
const NEAR_SECONDS = 0.1;
const NEAR_QUIET_SECONDS = 0.05;

/**
 * Cuts a stream into chunks of at most `maxSeconds`, in pauses of the speech, and leaves out silence between them that
 * is longer than a second. Where there is no pause it cuts at the quietest place and says so. Holds one window in memory.
 *
 * The same stream is always cut at the same places, however it was divided into pieces, and also when it is taken up
 * again at the end of a chunk.
 */
export async function* chunkAtPauses(
  pcm: AsyncIterable<Float32Array>,
  options: ChunkOptions,
): AsyncGenerator<PcmChunk, void> {
  const window = createWindow(options);
  for await (const piece of pcm) {
    for (let taken = window.passOver(piece); taken < piece.length; ) {
      // Cut only when more is there, so that what fits into one window stays whole.
      if (window.isFull()) yield* window.takeChunk();
      else {
        taken += window.fill(piece.subarray(taken));
        await window.listen();
      }
    }
  }
  yield* window.takeRest();
}

/** The part of the stream that is not in any chunk yet. */
function createWindow({ sampleRateHz, maxSeconds, startSeconds = 0, detector }: ChunkOptions) {
  const buffer = new Float32Array(Math.max(1, Math.floor(maxSeconds * sampleRateHz)));
  const windowSamples = detector?.windowSamples ?? 1;
  const keptWindows = Math.ceil((SILENCE_KEPT_SECONDS * sampleRateHz) / windowSamples);
  let start = Math.round(startSeconds * sampleRateHz);
  let before = start;
  let filled = 0;
  /** Of the windows from the beginning of the buffer on. */
  let speech: number[] = [];

  function drop(samples: number): void {
    buffer.copyWithin(0, samples, filled);
    filled -= samples;
    start += samples;
  }

  /** Silence before speech is in no chunk. */
  function dropSilence(): void {
    const first = speech.indexOf(1);
    const windows = (first === -1 ? speech.length : first) - keptWindows;
    if (windows <= 0) return;
    drop(windows * windowSamples);
    speech.splice(0, windows);
  }

  function* cut(at: number, endsInPause: boolean): Generator<PcmChunk> {
    let next = at;
    yield {
      startSeconds: start / sampleRateHz,
      endSeconds: (start + at) / sampleRateHz,
      samples: buffer.slice(0, at),
      endsInPause,
      endNear(seconds) {
        const around = seconds * sampleRateHz - start;
        const from = Math.max(0, Math.round(around - NEAR_SECONDS * sampleRateHz));
        const searched = buffer.subarray(from, Math.min(at, Math.round(around + NEAR_SECONDS * sampleRateHz)));
        const quiet = quietestPlace(searched, { sampleRateHz, seconds: NEAR_QUIET_SECONDS });
        next = Math.min(at, Math.max(1, from + quiet.at));
        return (start + next) / sampleRateHz;
      },
    };
    drop(next);
    // What comes is judged as if the stream began here: so does a later attempt.
    speech = [];
    detector?.reset();
  }

  return {
    /** How much of a piece lies before the place to begin at. */
    passOver(piece: Float32Array): number {
      const passed = Math.min(before, piece.length);
      before -= passed;
      return passed;
    },
    isFull: () => filled === buffer.length,
    fill(samples: Float32Array): number {
      const part = samples.subarray(0, buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      return part.length;
    },
    async listen(): Promise<void> {
      if (!detector) return;
      const heard = speech.length * windowSamples;
      const whole = filled - ((filled - heard) % windowSamples);
      if (whole === heard) return;
      speech.push(...(await detector.detect(buffer.subarray(heard, whole))));
      dropSilence();
    },
    *takeChunk(): Generator<PcmChunk> {
      const held = buffer.subarray(0, filled);
      const pause = detector && cutInPause(speech, { windowSamples, sampleRateHz });
      const { at, inPause } = pause ?? cutByLoudness(held, sampleRateHz);
      yield* cut(at, detector ? pause !== undefined : inPause);
    },
    *takeRest(): Generator<PcmChunk> {
      const end = detector ? Math.min(filled, (speech.lastIndexOf(1) + 1 + keptWindows) * windowSamples) : filled;
      if (filled > 0 && (!detector || speech.includes(1))) yield* cut(end, true);
    },
  };
}
