import { Readable } from 'node:stream';
import { JobListSchema, type JobView, JobViewSchema } from '@aigolos/contracts';
import type { Processor } from '@aigolos/jobs';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHAT, ended } from '../../../test/answers.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
const PATH = '/v1/exports';
const ARCHIVE = 'the whole archive';
let house: House;
let letGo: () => void;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
  const held = Promise.withResolvers<void>();
  letGo = held.resolve;
  await house.work('export', async (context) => {
    await held.promise;
    return archive(context);
  });
});
afterAll(() => house.close());

const archive: Processor<'export'> = async ({ job: { _id, fence, account } }) => {
  const file = await house.blobs.receive(Readable.from([Buffer.from(`${ARCHIVE} of ${account}`)]), { maxBytes: 1_000 });
  const blobKey = `${_id}/export-${fence}.tar.zst`;
  await house.blobs.commit(file, blobKey);
  const { bytes, sha256 } = file;
  const result = { blobKey, contentType: 'application/zstd', bytes, sha256, documents: 1, files: 0 };
  return { result, usage: {}, warnings: ['Jobs that had not ended were left out: 1.'] };
};
const post = (headers: Record<string, string> = {}, body: unknown = {}) => house.post(PATH, body, headers);

test('an export is a job like any other, made once at a time, and its archive is the result', async () => {
  const accepted = await post({ prefer: 'respond-async' });
  expect(accepted.status).toBe(202);
  const job = JobViewSchema.parse(await accepted.json());
  expect(job).toMatchObject({ kind: 'export', model: null, id: expect.stringMatching(/^exp_/) });
  expect(accepted.headers.get('location')).toBe(job.urls.self);
  const again = await post({ prefer: 'respond-async' });
  expect(await again.json()).toMatchObject({ id: job.id });
  const early = await house.call(`${PATH}/${job.id}/content`);
  expect([early.status, early.headers.get('content-disposition')]).toEqual([409, null]);
  expect(await early.json()).toMatchObject({ code: 'RESULT_NOT_READY' });

  letGo();
  expect(await ended(house, job.id)).toMatchObject({ status: 'completed', progress: 1 });
  for (const path of [job.urls.result, `${PATH}/${job.id}/content`]) {
    const content = await house.call(path);
    const text = await content.text();
    expect([content.status, text]).toEqual([200, `${ARCHIVE} of ${house.account}`]);
    expect(Object.fromEntries(content.headers)).toMatchObject({
      'content-type': 'application/zstd',
      'content-length': String(text.length),
      'x-warnings': 'Jobs that had not ended were left out: 1.',
    });
  }
  const named = await house.call(`${PATH}/${job.id}/content`);
  expect(named.headers.get('content-disposition')).toBe(`attachment; filename="${job.id}.tar.zst"`);
});

test('whoever waits gets the archive itself', async () => {
  const held = await house.call(PATH, { method: 'POST' });
  expect([held.status, await held.text()]).toEqual([200, `${ARCHIVE} of ${house.account}`]);
});

test('exports are listed, and are found by their owner alone', async () => {
  const { id } = (await (await post({ prefer: 'respond-async' })).json()) as JobView;
  const list = JobListSchema.parse(await (await house.call(`${PATH}?limit=2`)).json());
  expect(list.data[0]).toMatchObject({ id, kind: 'export' });
  expect(list.has_more).toBe(true);
  expect(await (await house.call(`${PATH}/${id}`)).json()).toMatchObject({ id, kind: 'export' });
  const chat = (await (await house.post('/v1/chat/completions', CHAT, { prefer: 'respond-async' })).json()) as JobView;
  for (const [path, key] of [
    [`${PATH}/${id}`, house.keys.stranger],
    [`${PATH}/${id}/content`, house.keys.stranger],
    [`${PATH}/${chat.id}`, house.keys.user],
    [`${PATH}/${chat.id}/content`, house.keys.user],
  ] as const) {
    expect([path, (await house.call(path, { key })).status]).toEqual([path, 404]);
  }
});

test('terms stand in the body or in headers, and the export that has them is one of its own', async () => {
  await house.post('/v1/account/rotate_webhook_secret', undefined);
  const headers = { prefer: 'respond-async', 'x-priority': 'low', 'x-metadata-team': 'red', 'x-metadata-order': '17' };
  const { id: plain } = (await (await post({ prefer: 'respond-async' })).json()) as JobView;
  const body = {
    priority: 'high',
    webhook_url: 'https://93.184.215.14/hooks',
    metadata: { team: 'blue' },
    retention: { result: '1h' },
  };
  const job = (await (await post(headers, body)).json()) as JobView;
  expect(job.id).not.toBe(plain);
  expect(job).toMatchObject({
    priority: 'high',
    metadata: { team: 'blue', order: '17' },
    retention: { result: 3_600 },
  });
  expect(await house.db.jobs.find(job.id)).toMatchObject({ webhookUrl: body.webhook_url });
  const refused = await post({}, { webhook_url: 'http://169.254.169.254/latest' });
  expect([refused.status, await refused.json()]).toMatchObject([400, { errors: [{ path: 'webhook_url' }] }]);
});

test('there is nothing else to choose', async () => {
  const refused = await post({}, { username: 'other' });
  expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'VALIDATION_FAILED' }]);
});
