import { JobListSchema, type JobView, JobViewSchema } from '@aigolos/contracts';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHAT, ended, heldBack, jobOf, said } from '../../../test/answers.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
beforeEach(async () => {
  house = await openHouse(redis, mongo);
});
afterEach(() => house.close());

const prefer = (preference: string) => house.post('/v1/chat/completions', CHAT, { prefer: preference });
const submit = async () => (await (await prefer('respond-async')).json()) as JobView;

describe('Prefer', () => {
  test('respond-async answers 202 with the job at once; the result is what the synchronous call would have given', async () => {
    const response = await prefer('respond-async');
    expect(response.status).toBe(202);
    const job = JobViewSchema.parse(await response.json());
    expect(job).toMatchObject({ status: 'queued', kind: 'chat', model: 'test-llm', queue_position: 0, attempt: 0 });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      location: job.urls.self,
      'preference-applied': 'respond-async',
      'retry-after': '1',
      'x-job-id': job.id,
    });
    const early = await house.call(job.urls.result);
    expect([early.status, early.headers.get('retry-after')]).toEqual([409, '1']);
    expect(await early.json()).toMatchObject({ code: 'RESULT_NOT_READY' });
    await house.work('chat', async () => said('hello'));
    expect(await ended(house, job.id)).toMatchObject({ status: 'completed', progress: 1, usage: { prompt_tokens: 3 } });
    const result = await house.call(job.urls.result);
    expect(await result.json()).toMatchObject({ id: job.id, choices: [{ message: { content: 'hello' } }] });
  });

  test('wait gives the answer if it is ready in time, else the job', async () => {
    const { process, started, letGo } = heldBack('late');
    await house.work('chat', process);
    const slow = await prefer('wait=1');
    expect([slow.status, slow.headers.get('preference-applied')]).toEqual([202, 'wait=1']);
    expect(await slow.json()).toMatchObject({ id: await started, status: 'in_progress' });
    letGo();
    const quick = await prefer('respond-async, wait=30');
    expect([quick.status, quick.headers.get('preference-applied')]).toEqual([200, 'respond-async, wait=30']);
    expect(await quick.json()).toMatchObject({ object: 'chat.completion' });
  });

  test('respond-async goes before stream', async () => {
    const response = await house.post('/v1/chat/completions', { ...CHAT, stream: true }, { prefer: 'respond-async' });
    expect(response.status).toBe(202);
  });
});

describe('a job', () => {
  test('is found by its owner alone', async () => {
    const { id, urls } = await submit();
    for (const [method, path] of [
      ['GET', urls.self],
      ['GET', urls.result],
      ['POST', urls.cancel],
      ['DELETE', urls.self],
    ] as const) {
      const response = await house.call(path, { method, key: house.keys.stranger });
      expect([method, path, response.status]).toEqual([method, path, 404]);
    }
    expect(await jobOf(house, id)).toMatchObject({ status: 'queued' });
  });

  test('can be waited for', async () => {
    const { process, started, letGo } = heldBack();
    await house.work('chat', process);
    const { urls } = await submit();
    // Less than a millisecond, and no whole number of them.
    expect((await house.call(`${urls.self}?wait=0.0123456`)).status).toBe(200);
    const waiting = house.call(`${urls.self}?wait=60`);
    await started;
    letGo();
    expect(await (await waiting).json()).toMatchObject({ status: 'completed' });
    expect((await house.call(`${urls.self}?wait=9999`)).status).toBe(400);
  });

  test('that was cancelled says so in its result; cancelling again is harmless', async () => {
    const { urls } = await submit();
    for (let time = 0; time < 2; time += 1) {
      const cancelled = await house.call(urls.cancel, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      expect([cancelled.status, await cancelled.json()]).toMatchObject([200, { status: 'cancelled', usage: null }]);
    }
    const result = await house.call(urls.result);
    expect([result.status, await result.json()]).toMatchObject([409, { code: 'JOB_CANCELLED' }]);
  });

  test('that waits in a queue knows how many are before it', async () => {
    await submit();
    const { id } = await submit();
    expect(await jobOf(house, id)).toMatchObject({ queue_position: 1 });
  });

  test('can be deleted once it has ended, not before', async () => {
    const { id, urls } = await submit();
    const early = await house.call(urls.self, { method: 'DELETE' });
    expect([early.status, await early.json()]).toMatchObject([409, { code: 'JOB_NOT_DELETABLE' }]);
    await house.call(urls.cancel, { method: 'POST' });
    const deleted = await house.call(urls.self, { method: 'DELETE' });
    expect([deleted.status, await deleted.json()]).toMatchObject([200, { id, object: 'job.deleted', deleted: true }]);
    expect((await house.call(urls.self)).status).toBe(404);
  });

  test('that failed gives its error as its result', async () => {
    await house.work('chat', async () => {
      throw Object.assign(new Error('/secret/path'), { code: 'EACCES' });
    });
    const { id, urls } = await submit();
    await house.db.jobs.requestCancel('nobody', id, {});
    expect((await ended(house, id)).error).toEqual({
      code: 'INTERNAL',
      message: expect.not.stringContaining('secret'),
    });
    const result = await house.call(urls.result);
    expect([result.status, await result.json()]).toMatchObject([500, { code: 'INTERNAL', status: 500 }]);
  }, 30_000);
});

test('jobs are listed page by page, newest first, by kind and status', async () => {
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) ids.unshift((await submit()).id);
  const list = async (query: string) => JobListSchema.parse(await (await house.call(`/v1/jobs?${query}`)).json());
  const first = await list('limit=3');
  expect(first).toMatchObject({ has_more: true, first_id: ids[0], last_id: ids[2] });
  const second = await list(`limit=3&after=${first.last_id}`);
  expect(second.has_more).toBe(false);
  expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids);
  await house.call(`/v1/jobs/${ids[1]}/cancel`, { method: 'POST' });
  expect((await list('status=cancelled&kind=chat')).data.map(({ id }) => id)).toEqual([ids[1]]);
  expect(await list('kind=speech')).toEqual({
    object: 'list',
    data: [],
    first_id: null,
    last_id: null,
    has_more: false,
  });
  expect((await house.call('/v1/jobs?after=cht_unknown')).status).toBe(404);
});

test('jobs are listed by their metadata and from the oldest on, as is asked for', async () => {
  const submitWith = async (metadata: Record<string, string>) => {
    const response = await house.post('/v1/chat/completions', { ...CHAT, metadata }, { prefer: 'respond-async' });
    return ((await response.json()) as JobView).id;
  };
  const blue = await submitWith({ team: 'blue', order: '17' });
  const red = await submitWith({ team: 'red', order: '17' });
  const idsOf = async (query: string) => {
    const list = JobListSchema.parse(await (await house.call(`/v1/jobs?${query}`)).json());
    return list.data.map(({ id }) => id);
  };
  expect(await idsOf('metadata[order]=17')).toEqual([red, blue]);
  expect(await idsOf('metadata[order]=17&order=asc')).toEqual([blue, red]);
  expect(await idsOf(`order=asc&after=${blue}`)).toEqual([red]);
  expect(await idsOf('metadata[order]=17&metadata%5Bteam%5D=blue')).toEqual([blue]);
  expect(await idsOf('metadata[team]=green')).toEqual([]);
  const refused = await house.call('/v1/jobs?metadata[a.b]=1');
  expect([refused.status, await refused.json()]).toMatchObject([400, { errors: [{ path: 'metadata[a.b]' }] }]);
});

test('a method that a path does not have is refused with those that it has; what will stay a conflict is not to be retried', async () => {
  const { urls } = await submit();
  const put = await house.call(urls.self, { method: 'PUT' });
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD']);
  expect(await put.json()).toMatchObject({
    code: 'METHOD_NOT_ALLOWED',
    detail: expect.stringContaining('DELETE, GET'),
  });
  const early = await house.call(urls.self, { method: 'DELETE' });
  expect([early.status, early.headers.get('x-should-retry')]).toEqual([409, 'false']);
});
