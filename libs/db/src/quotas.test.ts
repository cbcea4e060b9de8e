import { type AccountLimits, type Amounts, NO_AMOUNTS } from '@aigolos/contracts';
import { useMongo } from '@aigolos/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase, type Reservation, type UsageRecord } from './index.ts';

const mongo = useMongo();
let db: Database;
/** Another process. */
let other: Database;
beforeEach(async () => {
  const url = mongo.newDatabaseUrl();
  db = await openDatabase(url);
  await db.prepare();
  other = await openDatabase(url);
});
afterEach(() => Promise.all([db.close(), other.close()]));

const NOON = new Date('2026-11-30T12:00:00Z');
const NEXT_DAY = new Date('2026-12-01T00:00:00Z');
const amounts = (given: Partial<Amounts> = {}): Amounts => ({ ...NO_AMOUNTS, requests: 1, ...given });
const reserve = (
  job: string,
  limits: AccountLimits,
  { asked = amounts(), now = NOON, by = db }: { asked?: Amounts; now?: Date; by?: Database } = {},
) => by.quotas.reserve('acc_1', job, { amounts: asked, limits, now });
const held = async (...args: Parameters<typeof reserve>): Promise<Reservation> => {
  const answer = await reserve(...args);
  if (!('reservation' in answer)) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer.reservation;
};
const taken = async (now = NOON) => (await db.quotas.stateOf('acc_1', now))?.taken;

test.each([
  ['requests', { requests_per_day: 3 }, amounts()],
  ['seconds of audio', { audio_seconds_per_month: 30 }, amounts({ audio_seconds: 10 })],
  ['jobs at once', { concurrent_jobs: 3 }, amounts()],
] as const)('of 100 at once over two processes, at a limit of %s less one, one passes', async (_, limits, asked) => {
  await held('cht_a', limits, { asked });
  await held('cht_b', limits, { asked });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      reserve(`cht_${index}`, limits, { asked, by: index % 2 === 0 ? db : other }),
    ),
  );
  expect(answers.filter((answer) => 'reservation' in answer)).toHaveLength(1);
  expect((await db.quotas.stateOf('acc_1', NOON))?.jobs).toBe(3);
});

test('a refusal says what was taken, what was asked for, and when it is there again', async () => {
  await held('cht_1', { tokens_per_month: 1_000 }, { asked: amounts({ tokens: 700 }) });
  expect(await reserve('cht_2', { tokens_per_month: 1_000 }, { asked: amounts({ tokens: 301 }) })).toEqual({
    refusal: { name: 'tokens_per_month', limit: 1_000, taken: 700, asked: 301, resetsAt: NEXT_DAY },
  });
  await held('cht_3', { tokens_per_month: 1_000 }, { asked: amounts({ tokens: 300 }) });
});

test('what was really used stands in the place of what was set aside, to one caller in all', async () => {
  const reservation = await held('cht_1', { tokens_per_day: 500 }, { asked: amounts({ tokens: 400 }) });
  const used = amounts({ tokens: 20 });
  const settled = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? db : other).quotas.settle('acc_1', 'cht_1', { reservation, used }),
    ),
  );
  expect(settled.filter(Boolean)).toHaveLength(1);
  expect(await db.quotas.stateOf('acc_1', NOON)).toMatchObject({ jobs: 0, taken: { day: used, month: used } });
});

test('a job that made nothing takes nothing', async () => {
  const reservation = await held('cht_1', { requests_per_day: 1 });
  expect(await reserve('cht_2', { requests_per_day: 1 })).toMatchObject({ refusal: { name: 'requests_per_day' } });
  await db.quotas.settle('acc_1', 'cht_1', { reservation, used: NO_AMOUNTS });
  await held('cht_3', { requests_per_day: 1 });
});

test('a new day and month begin with nothing, also for a process whose clock is behind', async () => {
  const limits = { requests_per_day: 1, requests_per_month: 2 };
  await held('cht_1', limits);
  const day = await reserve('cht_2', limits);
  expect(day).toMatchObject({ refusal: { name: 'requests_per_day', resetsAt: NEXT_DAY } });
  const passed = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      reserve(`cht_n${index}`, limits, { now: NEXT_DAY, by: index % 2 === 0 ? db : other }),
    ),
  );
  expect(passed.filter((answer) => 'reservation' in answer)).toHaveLength(1);
  expect(await reserve('cht_3', limits)).toMatchObject({
    refusal: { name: 'requests_per_day', resetsAt: new Date('2026-12-02T00:00:00Z') },
  });
});

test('a day that ends leaves what was taken of the month', async () => {
  const limits = { requests_per_day: 5, requests_per_month: 2 };
  const [before, now] = [new Date('2026-11-28T23:59:59Z'), new Date('2026-11-29T00:00:01Z')];
  await held('cht_1', limits, { now: before });
  await held('cht_2', limits, { now });
  expect(await reserve('cht_3', limits, { now })).toMatchObject({ refusal: { name: 'requests_per_month', taken: 2 } });
});

test('a job that ends on another day takes of the one on which it was sent', async () => {
  const limits = { tokens_per_day: 100 };
  const reservation = await held('cht_1', limits, { asked: amounts({ tokens: 50 }) });
  await held('cht_2', limits, { asked: amounts({ tokens: 50 }), now: NEXT_DAY });
  await db.quotas.settle('acc_1', 'cht_1', { reservation, used: amounts({ tokens: 99 }) });
  expect(await taken(NEXT_DAY)).toMatchObject({ day: { tokens: 50 }, month: { tokens: 50 } });
});

test('limits that are set in the middle of a month count what was used before', async () => {
  const row = (id: string, at: Date): UsageRecord => ({
    _id: id,
    account: 'acc_1',
    kind: 'chat',
    service: 'completions',
    model: 'm',
    batch: false,
    at: at.getTime() / 1_000,
    requests: 1,
    audioSeconds: 0,
    characters: 0,
    inputTokens: 10,
    outputTokens: 5,
    computeMs: 0,
  });
  await db.usage.record([
    row('cht_old', new Date('2026-10-31T23:59:59Z')),
    row('cht_month', new Date('2026-11-01T00:00:00Z')),
    row('cht_day', new Date('2026-11-30T01:00:00Z')),
  ]);
  await held('cht_1', { tokens_per_month: 1_000 }, { asked: amounts({ tokens: 1 }) });
  expect(await taken()).toMatchObject({ day: { tokens: 16, requests: 2 }, month: { tokens: 31, requests: 3 } });
});

test('what nobody has settled is found again', async () => {
  await held('cht_1', { concurrent_jobs: 5 });
  await held('cht_2', { concurrent_jobs: 5 }, { now: new Date(NOON.getTime() + 1_000) });
  const found = await Array.fromAsync(db.quotas.heldBefore(new Date(NOON.getTime() + 500)));
  expect(found).toEqual([
    { account: 'acc_1', job: 'cht_1', reservation: { day: '2026-11-30', month: '2026-11', amounts: amounts() } },
  ]);
});

test('usage is written once, and told apart by time and by what is asked for', async () => {
  const base = { account: 'acc_1', kind: 'chat', service: 'completions', batch: false, requests: 1 } as const;
  const none = { audioSeconds: 0, characters: 0, inputTokens: 2, outputTokens: 3, computeMs: 1 };
  const rows: UsageRecord[] = [
    { ...base, ...none, _id: 'cht_1', model: 'a', at: 86_400 },
    { ...base, ...none, _id: 'cht_2', model: 'b', at: 86_400 + 3_599 },
    { ...base, ...none, _id: 'cht_3', model: 'b', at: 86_400 + 3_600 },
    { ...base, ...none, _id: 'cht_4', model: 'b', at: 86_400 * 2 },
    { ...base, ...none, _id: 'cht_5', model: 'b', at: 86_400, account: 'acc_2' },
  ];
  await db.usage.record(rows);
  await db.usage.record(rows.slice(1, 3));
  const filter = { from: 86_400, to: 86_400 * 2, accounts: ['acc_1'] };
  const hours = await db.usage.sums(filter, { seconds: 3_600, by: ['model'] });
  const told = hours.map(({ start, model, requests }) => ({ start, model, requests }));
  expect(
    told.toSorted((one, other) => one.start - other.start || (one.model ?? '').localeCompare(other.model ?? '')),
  ).toEqual([
    { start: 86_400, model: 'a', requests: 1 },
    { start: 86_400, model: 'b', requests: 1 },
    { start: 90_000, model: 'b', requests: 1 },
  ]);
  const days = await db.usage.sums(filter, { seconds: 86_400, by: [] });
  expect(days).toMatchObject([{ start: 86_400, requests: 3, inputTokens: 6, outputTokens: 9, rows: 3 }]);
});
