import { expect, test } from 'vitest';
import { costOf, MAX_COST } from './cost.ts';

const transcription = (audio: { bytes: number; durationSeconds?: number }) =>
  costOf({
    kind: 'transcription',
    task: { model: 'm', responseFormat: 'json', wordTimestamps: false, audio: { blobKey: 'k', sha256: '', ...audio } },
  });
const speech = (characters: number) =>
  costOf({ kind: 'speech', task: { model: 'm', voice: 'v', input: 'x'.repeat(characters), format: 'mp3', speed: 1 } });
const chat = (maxTokens?: number) =>
  costOf({ kind: 'chat', task: { model: 'm', messages: [], stop: [], ...(maxTokens !== undefined && { maxTokens }) } });

test('a job costs what its submission tells of the work: a whole number from 1 to the most', () => {
  expect([0, 30, 30.1, 3_600].map((durationSeconds) => transcription({ bytes: 1, durationSeconds }))).toEqual([
    1, 1, 2, 120,
  ]);
  expect(transcription({ bytes: 16_000 * 90 })).toBe(3);
  expect([1, 500, 501, 600_000].map(speech)).toEqual([1, 1, 2, MAX_COST]);
  expect([undefined, 1, 1_024, 10_000_000].map(chat)).toEqual([1, 1, 4, MAX_COST]);
  expect([Number.NaN, Infinity, -5].map((durationSeconds) => transcription({ bytes: 1, durationSeconds }))).toEqual([
    1, 1, 1,
  ]);
});
