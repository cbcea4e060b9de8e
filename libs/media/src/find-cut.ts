/** A place to cut at, in samples from the beginning of the window. */
export interface Cut {
  at: number;
  /** Nobody speaks there, so no word is cut in two. */
  inPause: boolean;
}

/** Shorter silences are within words: the closure of a "t" takes a tenth of a second. */
const MIN_PAUSE_SECONDS = 0.2;
/** What is kept of a silence on either side of speech, so that soft beginnings and ends are heard. */
export const SILENCE_KEPT_SECONDS = 0.5;
/** A cut lies in this last part of a full window where it can, so chunks are neither too long nor much too short. */
const SEARCHED_PART = 0.5;
/** But sooner here than through a word. */
const RELUCTANTLY_SEARCHED_PART = 0.85;

/** Energy is compared over stretches this long: shorter ones find the closure of a "t" instead of a pause. */
const QUIET_SECONDS = 0.3;
const STEP_SECONDS = 0.01;
/** What is 20 dB softer than the window is taken for a pause where nobody can tell speech. */
const QUIET_SHARE = 0.01;

/**
 * Where to cut a window in which speech was looked for: in the longest pause of its second half, else in that of the
 * part before. In a long pause soon after the speech, so that the silence need not be in any chunk.
 * @param speech a number for each `windowSamples`: 1 where somebody speaks, else 0.
 * @returns undefined where there is no pause.
 */
export function cutInPause(
  speech: readonly number[],
  { windowSamples, sampleRateHz }: { windowSamples: number; sampleRateHz: number },
): Cut | undefined {
  const keep = Math.ceil((SILENCE_KEPT_SECONDS * sampleRateHz) / windowSamples);
  const least = (MIN_PAUSE_SECONDS * sampleRateHz) / windowSamples;
  const pauses = silencesOf(speech).filter(({ from, to }) => from > 0 && to - from >= least);
  for (const part of [SEARCHED_PART, RELUCTANTLY_SEARCHED_PART]) {
    const [best] = pauses
      .filter(({ to }) => to > speech.length * (1 - part))
      .toSorted((a, b) => b.to - b.from - (a.to - a.from) || b.from - a.from);
    if (!best) continue;
    const middle = (best.from + best.to) / 2;
    return { at: Math.round(Math.min(middle, best.from + keep) * windowSamples), inPause: true };
  }
  return undefined;
}

/** Where to cut a window by how loud it is: the quietest place of its second half; of equally quiet ones the last. */
export function cutByLoudness(window: Float32Array, sampleRateHz: number): Cut {
  const from = Math.floor(window.length * (1 - SEARCHED_PART));
  const { at, energy } = quietestPlace(window.subarray(from), { sampleRateHz, seconds: QUIET_SECONDS });
  return { at: Math.max(1, from + at), inPause: energy <= QUIET_SHARE * meanSquare(window) };
}

/** The middle of the quietest stretch of some length, and its mean square; the last of equally quiet ones. */
export function quietestPlace(
  samples: Float32Array,
  { sampleRateHz, seconds }: { sampleRateHz: number; seconds: number },
): { at: number; energy: number } {
  const step = Math.max(1, Math.round(STEP_SECONDS * sampleRateHz));
  const energies = stepEnergies(samples, step);
  const width = Math.min(Math.round(seconds / STEP_SECONDS), energies.length);
  if (width === 0) return { at: samples.length, energy: Number.POSITIVE_INFINITY };
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
  return { at: Math.round((best + width / 2) * step), energy: lowest / (width * step) };
}

/** Where nobody speaks, from and to in windows. */
function silencesOf(speech: readonly number[]): { from: number; to: number }[] {
  const silences: { from: number; to: number }[] = [];
  for (const [index, isSpeech] of speech.entries()) {
    const last = silences.at(-1);
    if (isSpeech) continue;
    if (last?.to === index) last.to = index + 1;
    else silences.push({ from: index, to: index + 1 });
  }
  return silences;
}

/** The energy of each whole step. */
function stepEnergies(samples: Float32Array, step: number): Float64Array {
  const energies = new Float64Array(Math.floor(samples.length / step));
  for (const index of energies.keys()) {
    energies[index] = energyOf(samples.subarray(index * step, (index + 1) * step));
  }
  return energies;
}

function meanSquare(samples: Float32Array): number {
  return energyOf(samples) / samples.length;
}

function energyOf(samples: Float32Array): number {
  return samples.reduce((sum, value) => sum + value * value, 0);
}
