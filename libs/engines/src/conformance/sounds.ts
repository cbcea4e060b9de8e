import { ASR_SAMPLE_RATE_HZ } from '../asr/asr-engine.ts';

/** Noise in the rhythm of speech: the same for the same seed, no two seconds alike, never silent for a second. */
export function babble(seconds: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: seconds * ASR_SAMPLE_RATE_HZ }, (_, index) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return 0.3 * Math.sin(index / 2_000) * (state / 2 ** 31);
  });
}

export function joined(pieces: Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The samples over and over until there are `length` of them. */
export function repeated(samples: Float32Array, length: number): Float32Array {
  const whole = new Float32Array(length);
  for (let at = 0; at < length; at += samples.length) whole.set(samples.subarray(0, length - at), at);
  return whole;
}
