import { request as rawRequest } from 'node:http';
import type { JobView } from '@aigolos/contracts';
import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CHAT, ended, heldBack, jobOf } from './answers.ts';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
const PATH = '/v1/chat/completions';
let house: House;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
});
afterAll(() => house.close());
const submit = (headers: Record<string, string>, body: object = CHAT) =>
  house.post(PATH, body, { prefer: 'respond-async', ...headers });

test('deadlines, priority and metadata of a request are its job’s', async () => {
  const asked = Date.now() / 1_000;
  const headers = {
    'x-start-by': '60.5',
    'x-finish-by': '2592000',
    'x-priority': 'high',
    'x-metadata-Order': 'Größe 7',
  };
  const body = { ...CHAT, metadata: { Team: 'blue' } };
  const job = (await (
    await submit(
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString('latin1')])),
      body,
    )
  ).json()) as JobView;
  expect(job).toMatchObject({ priority: 'high', metadata: { order: 'Größe 7', Team: 'blue' } });
  expect((job.start_by ?? 0) - asked).toBeGreaterThan(58);
  expect((job.start_by ?? 0) - asked).toBeLessThan(90);
  expect((job.finish_by ?? 0) - asked).toBeGreaterThan(2_591_990);
  const record = await house.db.jobs.find(job.id);
  expect(record?.deadlineAt).toEqual(record?.startBy);
  const only = (await (await submit({ 'x-finish-by': '9' })).json()) as JobView;
  const other = await house.db.jobs.find(only.id);
  expect([only.start_by, other?.deadlineAt]).toEqual([null, other?.finishBy]);
});

test.each<[string, string, string]>([
  ['Idempotency-Key', 'x'.repeat(256), '1 to 255 printable ASCII characters'],
  ['Idempotency-Key', '""', '1 to 255 printable ASCII characters'],
  ['Idempotency-Key', 'schlüssel', '1 to 255 printable ASCII characters'],
  ['X-Start-By', '0', 'more than 0 and at most 2592000 (30 days), not "0"'],
  ['X-Start-By', 'soon', 'a number of seconds from now'],
  ['X-Finish-By', '-3', 'not "-3"'],
  ['X-Finish-By', '2592001', 'not "2592001"'],
  ['X-Finish-By', '1e3', 'not "1e3"'],
  ['X-Priority', 'urgent', 'low, default, high'],
  ['X-Cancel-On-Disconnect', 'yes', 'true or false'],
  [`X-Metadata-${'k'.repeat(65)}`, 'v', '1 to 64 characters'],
  ['X-Metadata-a', 'v'.repeat(513), 'at most 512 characters'],
])('a %s of %s is refused, and the message says what would be right', async (header, value, says) => {
  const refused = await submit({ [header]: value });
  expect(refused.status).toBe(400);
  const { error } = (await refused.json()) as { error: { message: string; param: string } };
  expect(error.message).toContain(says);
  expect([error.message.toLowerCase(), error.param.toLowerCase()]).toEqual([
    expect.stringContaining(header.toLowerCase().slice(0, 11)),
    expect.stringContaining(header.toLowerCase().slice(0, 11)),
  ]);
});

test('what cannot be kept together is refused', async () => {
  const backwards = await submit({ 'x-start-by': '10', 'x-finish-by': '9' });
  expect(await backwards.json()).toMatchObject({
    error: { param: 'X-Start-By', message: expect.stringContaining('10 is more than 9') },
  });
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`k${n}`, 'v']));
  const headers = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`x-metadata-h${n}`, 'v']));
  const refused = await submit(headers, { ...CHAT, metadata: many });
  expect(await refused.json()).toMatchObject({
    error: { message: expect.stringContaining('at most 16 pairs, not 17') },
  });
});

describe('a client that goes away', () => {
  let away: House;
  /** Sends a chat whose connection is cut once its job runs. @returns the job's id. */
  async function leave(
    headers: Record<string, string>,
    body: object = CHAT,
  ): Promise<{ id: string; letGo: () => void }> {
    const { process, started, letGo } = heldBack();
    away = await openHouse(redis, mongo);
    await away.work('chat', process);
    const sent = rawRequest(new URL(PATH, away.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${away.keys.user}`, 'content-type': 'application/json', ...headers },
    });
    sent.on('error', () => {});
    sent.end(JSON.stringify(body));
    const id = await started;
    sent.destroy();
    return { id, letGo };
  }
  afterEach(() => away.close());

  test.each([{}, { stream: true }])('has its job cancelled where it asked for that (%o)', async (fields) => {
    const { id } = await leave({ 'x-cancel-on-disconnect': 'true' }, { ...CHAT, ...fields });
    expect(await ended(away, id)).toMatchObject({ status: 'cancelled' });
  });

  test('else the job goes on', async () => {
    const { id, letGo } = await leave({ 'x-cancel-on-disconnect': 'false' });
    await waitUntil('the gateway has seen it go', async () => {
      const metrics = await (await away.call('/metrics')).text();
      return /status="499"/.test(metrics);
    });
    expect(await jobOf(away, id)).toMatchObject({ status: 'in_progress' });
    letGo();
    expect(await ended(away, id)).toMatchObject({ status: 'completed' });
    expect(await away.db.jobs.find(id)).not.toHaveProperty('cancelRequestedAt');
  });
});

test('a client that waited its time, was answered and then went away did not leave its job', async () => {
  const { process, started, letGo } = heldBack('later');
  const other = await openHouse(redis, mongo);
  await other.work('chat', process);
  const headers = { 'x-cancel-on-disconnect': 'true', prefer: 'wait=1', connection: 'close' };
  expect((await other.post(PATH, CHAT, headers)).status).toBe(202);
  const id = await started;
  expect(await jobOf(other, id)).toMatchObject({ status: 'in_progress' });
  letGo();
  await ended(other, id);
  expect(await other.db.jobs.find(id)).not.toHaveProperty('cancelRequestedAt');
  await other.close();
});

test('a job that was waited for to its end is not cancelled by the end of its connection', async () => {
  const { process, started, letGo } = heldBack('whole');
  await house.work('chat', process);
  letGo();
  const answer = await house.post(PATH, CHAT, { 'x-cancel-on-disconnect': 'true', connection: 'close' });
  expect(answer.status).toBe(200);
  expect(await ended(house, answer.headers.get('x-job-id') ?? (await started))).toMatchObject({ status: 'completed' });
});
