import type { JobView } from '@aigolos/contracts';
import type { Processor } from '@aigolos/jobs';
import { type RedisProcess, startRedis, useMongo, waitUntil } from '@aigolos/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CHAT, ended, said } from '../../../test/answers.ts';
import { eventsIn, type SeenEvent, textIn } from '../../../test/events.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const mongo = useMongo();
let redis: RedisProcess;
let house: House;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.kill('SIGKILL'));
beforeEach(async () => {
  house = await openHouse(redis, mongo);
});
afterEach(() => house.close());

const submit = async () =>
  (await (await house.post('/v1/chat/completions', CHAT, { prefer: 'respond-async' })).json()) as JobView;
const open = (job: JobView, lastEventId?: string, init: RequestInit = {}) =>
  house.call(job.urls.events, { ...init, headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } });
const readAll = async (job: JobView, lastEventId?: string) => Array.fromAsync(eventsIn(await open(job, lastEventId)));
const names = (events: SeenEvent[]) => events.map(({ name }) => name);
const withoutProgress = (events: SeenEvent[]) => names(events).filter((name) => name !== 'job.progress');

/** Says one piece of an attempt's text after another, each when the test lets it. The last attempt completes. */
function speaker(attempts: string[][]) {
  const turns: PromiseWithResolvers<void>[] = [];
  const turn = (index: number) => {
    turns[index] ??= Promise.withResolvers<void>();
    return turns[index];
  };
  let begun = 0;
  const process: Processor<'chat'> = async ({ job, emitDelta }) => {
    const pieces = attempts[job.attempt - 1] ?? [];
    for (const piece of pieces) {
      await turn(begun).promise;
      begun += 1;
      emitDelta(piece);
    }
    if (job.attempt < attempts.length) throw new Error('the engine fell over');
    return said(pieces.join(''));
  };
  return { process, letGo: (count: number) => Array.from({ length: count }, (_, index) => turn(index).resolve()) };
}

test('a stream tells what happens to a job, each event under an id, and ends with it', async () => {
  const { process, letGo } = speaker([['Good ', 'morning']]);
  const job = await submit();
  const response = await open(job);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  const reading = Array.fromAsync(eventsIn(response));
  await house.work('chat', process);
  letGo(2);
  const events = await reading;
  // Where Redis is slow, pieces come together.
  expect([...new Set(names(events))]).toEqual(['job.queued', 'job.started', 'job.delta', 'job.completed']);
  expect(events.map(({ data }) => data.type)).toEqual(names(events));
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  expect(events.at(-1)?.data).toMatchObject({ job: { id: job.id, status: 'completed', usage: { prompt_tokens: 3 } } });
  expect(textIn(events)).toBe('Good morning');
  expect((await open(job, events.at(-1)?.id)).status).toBe(204);
});

test('a stream that is resumed after any of its events goes on there, while the job runs and after its end, and when Redis has forgotten everything', async () => {
  const { process, letGo } = speaker([
    ['One ', '𝄞two '],
    ['One ', '𝄞two ', 'three'],
  ]);
  await house.work('chat', process);
  const job = await submit();
  const watching = eventsIn(await open(job));
  letGo(4);
  const seen: SeenEvent[] = [];
  for await (const event of watching) {
    seen.push(event);
    if (textIn(seen) === 'One 𝄞two ') break;
  }
  const resumedWhileRunning = seen.map(({ id }) => readAll(job, id));
  letGo(5);
  await ended(house, job.id);
  const check = (index: number, rest: SeenEvent[]) => {
    const whole = [...seen.slice(0, index + 1), ...rest];
    expect([index, textIn(whole), whole.at(-1)?.name]).toEqual([index, 'One 𝄞two three', 'job.completed']);
    expect(names(rest).filter((name) => name === 'job.completed')).toHaveLength(1);
    // Nothing comes twice: what is told is as long as the text.
    const told = whole.flatMap(({ data }) => (data.type === 'job.delta' ? [data.delta] : []));
    expect(told.join('')).toBe('One 𝄞two three');
  };
  for (const [index, resumed] of resumedWhileRunning.entries()) check(index, await resumed);
  for (const [index, { id }] of seen.entries()) check(index, await readAll(job, id));
  await redis.flushAll();
  for (const [index, { id }] of seen.entries()) check(index, await readAll(job, id));
  expect(withoutProgress(await readAll(job))).toEqual(['job.queued', 'job.started', 'job.delta', 'job.completed']);
  expect(textIn(await readAll(job, 'of somebody else'))).toBe('One 𝄞two three');
});

test('what Redis forgets while the job runs is told at its end', async () => {
  const { process, letGo } = speaker([['One ', 'two ', 'three']]);
  await house.work('chat', process);
  const job = await submit();
  const first = eventsIn(await open(job));
  letGo(1);
  for await (const { data } of first) if (data.type === 'job.delta') break;
  await redis.flushAll();
  const late = eventsIn(await open(job));
  expect((await late.next()).value).toMatchObject({ name: 'job.queued' });
  letGo(3);
  const events = await Array.fromAsync(late);
  expect([textIn(events), events.at(-1)?.name]).toEqual(['One two three', 'job.completed']);
}, 30_000);

test('where a later attempt says something else the text begins anew', async () => {
  const { process, letGo } = speaker([['Good night'], ['Good ', 'morning']]);
  await house.work('chat', process);
  const job = await submit();
  const reading = readAll(job);
  letGo(3);
  const events = await reading;
  expect(textIn(events)).toBe('Good morning');
  // Between the attempts it is queued for so short a time that a stream may miss it.
  const told = withoutProgress(events);
  expect([told[0], told.at(-1)]).toEqual(['job.queued', 'job.completed']);
  expect(told.filter((name) => name === 'job.delta').length).toBeGreaterThan(1);
  const [, night] = events.filter(({ name }) => name === 'job.started' || name === 'job.delta');
  expect(textIn([night as SeenEvent, ...(await readAll(job, night?.id))])).toBe('Good morning');
});

test('a job that is cancelled in its queue ends its stream; another account gets none', async () => {
  const job = await submit();
  expect((await house.call(job.urls.events, { key: house.keys.stranger })).status).toBe(404);
  const reading = readAll(job);
  await house.call(job.urls.cancel, { method: 'POST' });
  expect(names(await reading)).toEqual(['job.queued', 'job.cancelled']);
});

test('a client that goes away is let go', async () => {
  const job = await submit();
  const leaving = new AbortController();
  const events = eventsIn(await open(job, undefined, { signal: leaving.signal }));
  await events.next();
  leaving.abort();
  await events.next().catch(() => {});
  await waitUntil('the gateway has let it go', async () => {
    const metrics = await (await house.call('/metrics')).text();
    return metrics.includes('route="/v1/jobs/:id/events",status="499"');
  });
  expect(await house.call(job.urls.self).then((response) => response.json())).toMatchObject({ status: 'queued' });
});
