import { expect } from 'vitest';
import type { Answer } from '../case.ts';

/** The JSON body. */
export function jsonOf({ json }: Answer): unknown {
  expect(json).toBeDefined();
  return json;
}

/** Engines of tests warn about each of these options that they are handed. */
export function reachesEngine(option: string): (answer: Answer) => void {
  return ({ headers }) => expect(headers.get('x-warnings')).toContain(`The test engine ignores ${option}.`);
}

/** The length of a WAV file of 16-bit mono samples, by its header. */
export function wavSeconds({ text }: Answer): number {
  const bytes = Buffer.from(text, 'latin1');
  expect(bytes.toString('latin1', 0, 4)).toBe('RIFF');
  const bytesPerSecond = bytes.readUInt32LE(28);
  return (bytes.length - 44) / bytesPerSecond;
}
