export interface PcmChunk {
  /** Where it begins, in seconds from the beginning of the stream. */
  startSeconds: number;
  samples: Float32Array;
}

export interface ChunkOptions {
  sampleRateHz: number;
  maxSeconds: number;
}

/** Energy is compared over stretches this long: shorter ones find the closure of a "t" instead of a pause. */
const PAUSE_SECONDS = 0.3;
const STEP_SECONDS = 0.01;
/** A cut lies in this last part of a full window, so chunks are neither too long nor much too short. */
const SEARCHED_PART = 0.5;

/**
 * Cuts a stream into chunks of at most `maxSeconds`, each at the quietest place in the second half of the window, which
 * in speech is a pause between words or sentences. The chunks put together are exactly the stream. Holds one window in
 * memory. The same stream is always cut at the same places, however it was divided into pieces.
 */
export async function* chunkAtPauses(
  pcm: AsyncIterable<Float32Array>,
  options: ChunkOptions,
): AsyncGenerator<PcmChunk, void> {
  const window = new Float32Array(Math.max(1, Math.floor(options.maxSeconds * options.sampleRateHz)));
  let filled = 0;
  let start = 0;
  for await (const piece of pcm) {
    for (let taken = 0; taken < piece.length; ) {
      // Cut only when more is there, so that what fits into one window stays whole.
      if (filled === window.length) {
        const cut = quietestPlace(window, options.sampleRateHz);
        yield { startSeconds: start / options.sampleRateHz, samples: window.slice(0, cut) };
        window.copyWithin(0, cut);
        filled -= cut;
        start += cut;
      }
      const part = piece.subarray(taken, taken + window.length - filled);
      window.set(part, filled);
      filled += part.length;
      taken += part.length;
    }
  }
  if (filled > 0) yield { startSeconds: start / options.sampleRateHz, samples: window.slice(0, filled) };
}

/** The middle of the quietest stretch in the searched part; of equally quiet ones the last. Never 0. */
function quietestPlace(window: Float32Array, sampleRateHz: number): number {
  const step = Math.max(1, Math.round(STEP_SECONDS * sampleRateHz));
  const from = Math.floor(window.length * (1 - SEARCHED_PART));
  const energies = stepEnergies(window.subarray(from), step);
  const width = Math.min(Math.round(PAUSE_SECONDS / STEP_SECONDS), energies.length);
  if (width === 0) return window.length;
  let best = 0;
  let lowest = Number.POSITIVE_INFINITY;
  for (let first = 0; first + width <= energies.length; first += 1) {
    // Summed anew each time: a running sum gathers rounding errors that make silent stretches differ.
    const energy = energies.subarray(first, first + width).reduce((sum, value) => sum + value, 0);
    if (energy <= lowest) {
      lowest = energy;
      best = first;
    }
  }
  return Math.max(1, from + Math.round((best + width / 2) * step));
}

/** The energy of each whole step. */
function stepEnergies(samples: Float32Array, step: number): Float64Array {
  const energies = new Float64Array(Math.floor(samples.length / step));
  for (const index of energies.keys()) {
    energies[index] = samples.subarray(index * step, (index + 1) * step).reduce((sum, value) => sum + value * value, 0);
  }
  return energies;
}
