import type { LimitsView, UsagePage } from '@aigolos/contracts';
import { countUsage } from '@aigolos/lifecycle';
import { startRedis, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import OpenAI, { RateLimitError } from 'openai';
import { afterEach, expect, test } from 'vitest';
import { ended } from './answers.ts';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
afterEach(() => house.close());

const open = async (settings: Record<string, string> = {}) => {
  house = await openHouse(redis, mongo, settings);
};
const CHAT = { model: 'test-llm', messages: [{ role: 'user', content: 'four' }], max_tokens: 99 };
const LATER = { prefer: 'respond-async' };
const chat = (headers: Record<string, string> = {}) =>
  house.post('/v1/chat/completions', CHAT, { ...LATER, ...headers });
const statuses = async (count: number, headers: Record<string, string> = {}) => {
  const seen: number[] = [];
  for (let time = 0; time < count; time += 1) seen.push((await chat(headers)).status);
  return seen;
};
const limitsOf = async (key = house.keys.user) =>
  (await (await house.call('/v1/limits', { key })).json()) as LimitsView;
const answerChats = () =>
  house.work('chat', async () => ({
    result: { text: 'yes', finishReason: 'stop' },
    usage: { promptTokens: 7, completionTokens: 3, computeMs: 1_500 },
    warnings: [],
  }));
const count = () => countUsage(house, new AbortController().signal);
const usage = async (query = '', key = house.keys.user) => {
  const page = (await (await house.call(`/v1/usage?limit=1${query}`, { key })).json()) as UsagePage;
  return page.data.flatMap(({ results }) => results);
};

test('of 100 requests at once over two gateways, at a quota of requests less one, one passes; the others say why', async () => {
  await open();
  await house.db.access.setLimits(house.account, { requests_per_day: 2 });
  expect((await chat()).status).toBe(202);
  const other = await house.startAnother();
  const send = (url: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(CHAT),
      headers: { authorization: `Bearer ${house.keys.user}`, 'content-type': 'application/json', ...LATER },
    });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => send(index % 2 === 0 ? house.url : other.url)),
  );
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(99);
  expect(await refused[0]?.json()).toEqual({
    error: {
      message: expect.stringMatching(/may use 2 requests a day and has used 2, .* there again at .*T00:00:00\.000Z/),
      type: 'insufficient_quota',
      param: null,
      code: 'insufficient_quota',
    },
  });
  expect(refused[0]?.headers.get('x-should-retry')).toBe('false');
  expect((await house.db.jobs.list({ account: house.account, limit: 10 })).length).toBe(2);
});

test('what is taken of a quota is taken after a restart, too, and GET /v1/limits tells it', async () => {
  await open({ ACCOUNT_LIMITS: 'tokens_per_day=150, concurrent_jobs=5' });
  expect(await statuses(2)).toEqual([202, 429]);
  const before = await limitsOf();
  expect(before.account).toEqual({
    rates: [],
    concurrent_jobs: { limit: 5, used: 1, remaining: 4 },
    quotas: [{ measure: 'tokens', period: 'day', limit: 150, used: 100, remaining: 50, resets_at: expect.any(Number) }],
  });
  expect((before.account.quotas[0]?.resets_at ?? 0) % 86_400).toBe(0);
  const { url } = await house.restart();
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${house.keys.user}`, 'content-type': 'application/json', ...LATER },
    });
  const again = await call('/v1/chat/completions', { method: 'POST', body: JSON.stringify(CHAT) });
  expect(again.status).toBe(429);
  expect(await (await call('/v1/limits')).json()).toMatchObject({ account: before.account });
});

test('jobs that wait or run are limited, and there is room as soon as one was answered', async () => {
  await open({ ACCOUNT_LIMITS: 'concurrent_jobs=1' });
  await answerChats();
  for (let time = 0; time < 5; time += 1) {
    expect((await house.post('/v1/chat/completions', CHAT)).status).toBe(200);
    await waitUntil('there is room', async () => (await limitsOf()).account.concurrent_jobs?.used === 0);
  }
});

test('rates tell how much is left, and refuse what is more for at most a minute', async () => {
  await open({ ACCOUNT_LIMITS: 'requests_per_minute=3, key_requests_per_minute=2' });
  const first = await chat();
  expect(first.headers.get('ratelimit-policy')).toBe('"account";q=3;w=60, "key";q=2;w=60');
  expect(first.headers.get('ratelimit')).toMatch(/^"account";r=2;t=\d\d, "key";r=1;t=\d\d$/);
  expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2');
  expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1');
  expect(first.headers.get('x-ratelimit-reset-requests')).toMatch(/^\d\ds$/);
  expect(await statuses(2)).toEqual([202, 429]);
  const refused = await chat();
  const retryAfter = Number(refused.headers.get('retry-after'));
  expect(retryAfter).toBeGreaterThanOrEqual(1);
  expect(retryAfter).toBeLessThanOrEqual(60);
  expect(refused.headers.get('ratelimit')).toMatch(/"key";r=0;t=\d+$/);
  expect(await refused.json()).toMatchObject({ error: { type: 'requests', code: 'rate_limit_exceeded' } });
  // Another account has its own.
  expect((await house.call('/v1/chat/completions', { method: 'POST', key: house.keys.stranger })).status).toBe(400);
  const { rates } = (await limitsOf()).account;
  expect(rates).toMatchObject([
    { scope: 'account', limit: 3, remaining: 0 },
    { scope: 'key', limit: 2, remaining: 0, window_seconds: 60, resets_at: expect.any(Number) },
  ]);
});

test('an official client sees a refusal as its own error, and reads of what there is are not counted', async () => {
  await open({ ACCOUNT_LIMITS: 'requests_per_minute=1' });
  const client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.keys.user, maxRetries: 0 });
  const create = () => client.chat.completions.create({ model: 'x', messages: [] }, { headers: LATER });
  await create().catch(() => {});
  await client.models.list();
  await expect(create()).rejects.toBeInstanceOf(RateLimitError);
  expect((await house.call('/v1/jobs')).status).toBe(200);
});

test('limits of an account hold above those of the installation', async () => {
  await open({ ACCOUNT_LIMITS: 'requests_per_minute=1' });
  await house.db.access.setLimits(house.account, { requests_per_minute: null, key_requests_per_minute: 2 });
  expect(await statuses(3)).toEqual([202, 202, 429]);
});

test('a request that is sent again under its key is neither counted nor refused, whatever is full', async () => {
  await open({ ACCOUNT_LIMITS: 'requests_per_minute=2, requests_per_day=2, concurrent_jobs=1', BACKLOG_TOKENS: '100' });
  const key = { 'idempotency-key': 'one' };
  const first = await chat(key);
  expect(first.status).toBe(202);
  for (let time = 0; time < 5; time += 1) {
    const again = await chat(key);
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    expect(again.headers.get('x-job-id')).toBe(first.headers.get('x-job-id'));
  }
  const { account } = await limitsOf();
  expect(account.rates).toMatchObject([{ scope: 'account', remaining: 1 }]);
  expect(account.quotas).toMatchObject([{ measure: 'requests', used: 1 }]);
});

test('with so much waiting nothing more is taken, before its body is read, until some of it has begun', async () => {
  await open({ BACKLOG_TOKENS: '150' });
  expect(await statuses(2)).toEqual([202, 202]);
  await waitUntil(
    'it is seen',
    async () => (await limitsOf()).backlogs.find(({ queue }) => queue === 'llm')?.waiting === 200,
  );
  const refused = await house.post('/v1/chat/completions', 'no object');
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expect(await refused.json()).toMatchObject({
    error: { code: 'backlog_full', message: expect.stringMatching(/^200 tokens wait/) },
  });
  // What goes to another queue is taken.
  expect((await house.post('/v1/audio/speech', { model: 'test-tts', input: 'hi', voice: 'joe' }, LATER)).status).toBe(
    202,
  );
  await answerChats();
  await waitUntil('it is taken again', async () => (await chat()).status === 202);
});

test('while Redis is away nobody is refused, and what is sent is a job', async () => {
  const own = await startRedis();
  house = await openHouse(own, mongo, { ACCOUNT_LIMITS: 'requests_per_minute=1', BACKLOG_TOKENS: '1' });
  try {
    expect((await chat()).status).toBe(202);
    expect((await chat()).status).not.toBe(202);
    await own.goDown();
    const answer = await waitUntil('it is seen that Redis is away', async () => {
      const sent = await chat();
      return sent.status === 202 && sent;
    });
    expect(answer.headers.get('ratelimit')).toBeNull();
    expect(await statuses(3)).toEqual([202, 202, 202]);
    expect((await limitsOf()).account.rates).toMatchObject([{ remaining: null, resets_at: null }]);
    await own.comeBack('kept');
  } finally {
    await house.close();
    await own.kill('SIGKILL');
  }
});

test('usage is told by time, model, key and kind: to a user of their account, to an operator of all', async () => {
  await open();
  await answerChats();
  const send = async (key: string) => {
    const response = await house.call('/v1/chat/completions', {
      method: 'POST',
      key,
      body: JSON.stringify(CHAT),
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(200);
    return response.headers.get('x-job-id') ?? '';
  };
  const id = await send(house.keys.user);
  await send(house.keys.user);
  await send(house.keys.stranger);
  await count();
  await house.call(`/v1/jobs/${id}`, { method: 'DELETE' });
  const two = { object: 'usage', requests: 2, input_tokens: 14, output_tokens: 6, compute_seconds: 3, model: null };
  expect(await usage()).toMatchObject([two]);
  const [keyId] = (await house.db.access.keyIds(house.account)).toSorted();
  expect(await usage('&group_by=model&group_by=api_key&group_by=kind')).toMatchObject([
    { requests: 2, model: 'test-llm', kind: 'chat', api_key_id: keyId, account: null },
  ]);
  const all = await usage('&group_by[]=account', house.keys.admin);
  expect(all.map(({ requests }) => requests).toSorted((one, other) => one - other)).toEqual([1, 2]);
  const now = Math.floor(Date.now() / 1_000);
  const completions = async (query: string, key = house.keys.user) => {
    const path = `/v1/organization/usage/completions?start_time=${now - 60}${query}`;
    const page = (await (await house.call(path, { key })).json()) as { data: { results: object[] }[] };
    return page.data.flatMap(({ results }) => results);
  };
  expect(await completions('&group_by[]=model&bucket_width=1m')).toMatchObject([
    { num_model_requests: 2, input_tokens: 14, output_tokens: 6, model: 'test-llm', user_id: null },
  ]);
  expect(await completions('&user_ids=acc_other')).toEqual([]);
  expect(await completions('', house.keys.admin)).toMatchObject([{ num_model_requests: 3 }]);
  expect(await completions('&batch=true')).toEqual([]);
});

test('buckets of a long time come page by page, each once', async () => {
  await open();
  const day = 86_400;
  const start = 1_767_225_600;
  const row = { account: house.account, kind: 'chat', service: 'completions', model: 'm', batch: false } as const;
  const none = { audioSeconds: 0, characters: 0, inputTokens: 1, outputTokens: 0, computeMs: 0, requests: 1 };
  await house.db.usage.record(
    [0, 1, 9].map((days) => ({ ...row, ...none, _id: `cht_${days}`, at: start + days * day + 5 })),
  );
  const seen: [number, number][] = [];
  let page: UsagePage | undefined;
  do {
    const next: string = page?.next_page ? `&page=${page.next_page}` : '';
    const path = `/v1/usage?start_time=${start + 3_000}&end_time=${start + 10 * day}&limit=4${next}`;
    page = (await (await house.call(path)).json()) as UsagePage;
    for (const { start_time, end_time, results } of page.data) {
      expect(end_time - start_time).toBe(day);
      seen.push([(start_time - start) / day, results.length]);
    }
  } while (page.has_more);
  expect(seen).toEqual([[0, 1], [1, 1], ...[2, 3, 4, 5, 6, 7, 8].map((days) => [days, 0]), [9, 1]]);
  const tooMany = await house.call(`/v1/usage?limit=32`);
  expect([tooMany.status, await tooMany.json()]).toMatchObject([400, { error: { param: 'limit' } }]);
});

test('a job is of the key that it was sent with', async () => {
  await open();
  const id = (await chat()).headers.get('x-job-id') ?? '';
  expect(await house.db.access.keyIds(house.account)).toContain((await house.db.jobs.find(id))?.apiKey);
  await answerChats();
  await ended(house, id);
});
