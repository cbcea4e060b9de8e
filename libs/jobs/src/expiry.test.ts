import { DEFAULT_RETENTION, type FinalStatus, type JobKind, type RetentionWish } from '@aigolos/contracts';
import { expect, test } from 'vitest';
import { expiryOf } from './expiry.ts';

const END = new Date('2026-01-01T00:00:00Z');
const DAY = 24 * 60 * 60;

/** Seconds from the end until each thing goes; what is absent stays. */
function secondsUntil(kind: JobKind, status: FinalStatus, wish: RetentionWish): Record<string, number> {
  const retention = { ...DEFAULT_RETENTION, ...(wish as object) };
  const times = Object.entries(expiryOf({ kind, retention }, status, END));
  return Object.fromEntries(times.map(([field, at]) => [field, (Number(at) - END.getTime()) / 1_000]));
}

test.each([
  ['transcription', 'completed', { input: 0 }, { expiresAt: 90 * DAY, inputExpiresAt: 0, filesExpireAt: 0 }],
  ['transcription', 'cancelled', { input: 0 }, { expiresAt: 90 * DAY, inputExpiresAt: 0, filesExpireAt: 0 }],
  // The input of what failed can be looked into as long as the record is there.
  ['transcription', 'failed', { input: 0 }, { expiresAt: 90 * DAY, inputExpiresAt: 90 * DAY }],
  ['transcription', 'failed', { input: 0, result: null }, {}],
  // Files never outlive their record.
  ['transcription', 'completed', { result: DAY }, { expiresAt: DAY, inputExpiresAt: DAY }],
  ['transcription', 'completed', { input: null, result: DAY }, { expiresAt: DAY, inputExpiresAt: DAY }],
  ['transcription', 'completed', { input: DAY, result: null }, { inputExpiresAt: DAY, filesExpireAt: DAY }],
  ['transcription', 'completed', { output: DAY }, { expiresAt: 90 * DAY, inputExpiresAt: 90 * DAY }],
  ['speech', 'completed', { output: DAY }, { expiresAt: 90 * DAY, outputExpiresAt: DAY, filesExpireAt: DAY }],
  // Whoever waits for an output gets to read it.
  ['speech', 'completed', { output: 0 }, { expiresAt: 90 * DAY, outputExpiresAt: 60, filesExpireAt: 60 }],
  ['speech', 'failed', { output: 0, input: 0 }, { expiresAt: 90 * DAY }],
  ['chat', 'completed', { input: 0, output: 0 }, { expiresAt: 90 * DAY }],
  ['chat', 'completed', { result: null }, {}],
] as const)('a %s that is %s with %j', (kind, status, wish, expected) => {
  expect(secondsUntil(kind, status, wish)).toEqual(expected);
});

test('a record of an earlier version, which says nothing, is kept as where nobody says anything', () => {
  expect(expiryOf({ kind: 'chat' }, 'completed', END).expiresAt).toEqual(new Date(END.getTime() + 90 * DAY * 1_000));
});
