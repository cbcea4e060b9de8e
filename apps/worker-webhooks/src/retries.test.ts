import { expect, test } from 'vitest';
import { ConfigSchema } from './config.ts';
import { attemptsOfRound, parseRetryAfter, retryWaitMs } from './retries.ts';

const { WEBHOOK_RETRY_SECONDS } = ConfigSchema.parse({ MONGO_URL: 'mongodb://db/x', REDIS_URL: 'redis://r' });
const pausesMs = WEBHOOK_RETRY_SECONDS.map((seconds) => seconds * 1_000);

test('nine attempts: at once, then after 5 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h, 24 h, each up to a fifth later', () => {
  const waits = (random: number) => Array.from({ length: 9 }, (_, i) => retryWaitMs(i + 1, { pausesMs }, () => random));
  const hour = 3_600;
  const seconds = [5, 60, 300, 1_800, 2 * hour, 5 * hour, 10 * hour, 24 * hour];
  expect(waits(0)).toEqual([...seconds.map((pause) => pause * 1_000), undefined]);
  expect(waits(1)).toEqual([...seconds.map((pause) => pause * 1_200), undefined]);
});

test('what the receiver asks for is obeyed, never shortens a pause, and is capped at the longest', () => {
  const wait = (retryAfterMs: number) => retryWaitMs(1, { pausesMs, retryAfterMs }, () => 0);
  expect([wait(0), wait(90_000), wait(365 * 24 * 3_600_000)]).toEqual([5_000, 90_000, 24 * 3_600_000]);
});

test('Retry-After is read as seconds and as a date', () => {
  const now = new Date('2026-11-23T12:00:00Z');
  const read = (header: string | undefined) => parseRetryAfter(header, now);
  expect(read('120')).toBe(120_000);
  expect(read('Mon, 23 Nov 2026 12:02:00 GMT')).toBe(120_000);
  expect(read('Mon, 23 Nov 2026 11:00:00 GMT')).toBe(0);
  expect([read('soon'), read(undefined), read('-5')].filter((ms) => ms !== undefined && ms > 0)).toEqual([]);
});

test('a replay begins a new round of attempts', () => {
  const attempts = [1_000, 2_000, 3_000].map((time) => ({ at: new Date(time), ms: 1, error: 'no' }));
  expect(attemptsOfRound({ attempts })).toBe(3);
  expect(attemptsOfRound({ attempts, replayedAt: new Date(2_500) })).toBe(1);
});
