import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gateway } from '../src/gateway.ts';
import { CHAT } from './answers.ts';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let beside: Gateway;
/** It waits: there is no worker. */
let job: string;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
  beside = await house.startAnother();
  const submitted = await house.post('/v1/chat/completions', CHAT, { prefer: 'respond-async' });
  job = ((await submitted.json()) as { id: string }).id;
});
afterAll(() => house?.close());

const WITHIN_MS = 5_000;
const newKey = (fields: { expiresAt?: Date } = {}) =>
  house.db.access.createKey({ account: house.account, role: 'user', label: 'test', ...fields });

interface Ended {
  what: string;
  status: number;
  body: string;
  at: number;
}

/** Opens what lasts, in one gateway; resolves when all of it is open. */
async function openAll(url: string, key: string): Promise<{ ended: Promise<Ended>[] }> {
  const authorization = `Bearer ${key}`;
  const open = (what: string, path: string, body?: object) => {
    const headers = { authorization, ...(body && { 'content-type': 'application/json' }) };
    const init = { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) };
    const response = fetch(new URL(path, url), init);
    return response.then(async (answer): Promise<Ended> => {
      const [status, read] = [answer.status, await answer.text()];
      return { what, status, body: read, at: performance.now() };
    });
  };
  const jobs = async () => (await house.db.jobs.list({ account: house.account, limit: 99 })).length;
  const before = await jobs();
  const ended = [
    open('a look that waits', `/v1/jobs/${job}?wait=60`),
    open('the events of a job', `/v1/jobs/${job}/events`),
    open('an answer that is held open', '/v1/chat/completions', CHAT),
    open('a stream', '/v1/chat/completions', { ...CHAT, stream: true }),
    open('the stream of a response', '/v1/responses', { model: 'gpt-4o', input: 'hi', stream: true }),
    upload(url, key),
  ];
  await waitUntil('all is submitted', async () => (await jobs()) >= before + 3);
  return { ended };
}

/** Sends the beginning of a form, and no more. */
async function upload(url: string, key: string): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'multipart/form-data; boundary=b' };
  const closed = Promise.withResolvers<void>();
  const sending = request(`${url}/v1/files`, { method: 'POST', headers }, (answer) => {
    const at = performance.now();
    const read = Promise.all([text(answer), closed.promise]);
    read.then(([body]) => resolve({ what: 'an upload', status: answer.statusCode ?? 0, body, at }), reject);
  });
  // What is still being sent is cut off, once it was said why.
  sending.on('error', () => {});
  sending.on('close', () => closed.resolve());
  sending.write('--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n');
  sending.write('x'.repeat(20_000));
  await waitUntil('the file arrives', async () => (await house.files()).spool.length > 0);
  return promise;
}

const STATUS_BEFORE_ITS_BEGINNING = 401;
/** What had begun to be answered. */
const BEGUN = ['the events of a job', 'a stream', 'the stream of a response'];

async function expectEnded(ended: Promise<Ended>[], since: number, code: string): Promise<void> {
  for (const { what, status, body, at } of await Promise.all(ended)) {
    expect(body.toLowerCase(), what).toContain(code);
    expect(status, what).toBe(BEGUN.includes(what) ? 200 : STATUS_BEFORE_ITS_BEGINNING);
    expect(at - since, what).toBeLessThan(WITHIN_MS);
  }
}

test('what is open with a key that is revoked ends within five seconds, in every gateway, and says why; the jobs go on', async () => {
  const { key, record } = await newKey();
  const both = await Promise.all([house.url, beside.url].map((url) => openAll(url, key)));
  const since = performance.now();
  const revoked = await house.call(`/v1/api_keys/${record._id}`, { method: 'DELETE' });
  expect([revoked.status, await revoked.json()]).toMatchObject([200, { revoked_at: expect.any(Number) }]);
  await expectEnded(
    both.flatMap(({ ended }) => ended),
    since,
    'api_key_revoked',
  );
  expect((await house.files()).spool).toEqual([]);
  const left = await house.db.jobs.list({ account: house.account, limit: 99 });
  expect(new Set(left.map(({ status }) => status))).toEqual(new Set(['queued']));
  for (const url of [house.url, beside.url]) {
    const again = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect(again.status).toBe(401);
  }
}, 20_000);

test('a file that is being fetched with it is cut off: of a part nobody takes it for the whole', async () => {
  const form = new FormData();
  form.append('purpose', 'user_data');
  form.append('file', new Blob(['x'.repeat(32 * 1024 ** 2)]), 'f');
  const { id } = (await (await house.call('/v1/files', { method: 'POST', body: form })).json()) as { id: string };
  const { key, record } = await newKey();
  const fetching = request(`${beside.url}/v1/files/${id}/content`, { headers: { authorization: `Bearer ${key}` } });
  fetching.end();
  const [answer] = (await once(fetching, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  // Nothing is read, so that it lasts.
  const since = performance.now();
  await house.db.access.revokeKey(house.account, record._id);
  const isCut = /_count\{[^}]*route="\/v1\/files\/:id\/content",status="499"/;
  const metrics = async () => (await fetch(`${beside.url}/metrics`)).text();
  await waitUntil('it is cut off', async () => isCut.test(await metrics()));
  expect(performance.now() - since).toBeLessThan(WITHIN_MS);
  await expect(buffer(answer)).rejects.toThrow('aborted');
}, 20_000);

test('so does what is open with a key that expires', async () => {
  const expiresAt = new Date(Date.now() + 3_000);
  const { key } = await newKey({ expiresAt });
  const { ended } = await openAll(beside.url, key);
  await expectEnded(ended, performance.now() + (expiresAt.getTime() - Date.now()), 'api_key_expired');
}, 20_000);

test('so does what is open with a key of an account that is disabled', async () => {
  const { _id: account } = await house.db.access.ensureAccount('soon disabled');
  const { key } = await house.db.access.createKey({ account, role: 'user', label: 'test' });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const body = JSON.stringify(CHAT);
  const held = fetch(`${beside.url}/v1/chat/completions`, { method: 'POST', headers, body });
  await waitUntil('it is open', async () => (await house.db.jobs.list({ account, limit: 1 })).length === 1);
  const since = performance.now();
  await house.db.access.changeAccount(account, { disabled: true });
  const answer = await held;
  expect([answer.status, await answer.json()]).toMatchObject([403, { error: { code: 'account_disabled' } }]);
  expect(performance.now() - since).toBeLessThan(WITHIN_MS);
}, 20_000);

test('what another key has opened goes on', async () => {
  const [gone, stays] = [await newKey(), await newKey()];
  const looking = new AbortController();
  const headers = { authorization: `Bearer ${stays.key}` };
  const events = await fetch(`${beside.url}/v1/jobs/${job}/events`, { headers, signal: looking.signal });
  const reader = events.body?.getReader();
  const { ended } = await openAll(beside.url, gone.key);
  await house.db.access.revokeKey(house.account, gone.record._id);
  await Promise.all(ended);
  await house.call(`/v1/jobs/${job}/cancel`, { method: 'POST' });
  const decoder = new TextDecoder();
  let read = '';
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
    read += decoder.decode(piece.value, { stream: true });
  }
  expect(read).toContain('job.cancelled');
  expect(read).not.toContain('revoked');
}, 20_000);

test('an account that erases itself gets its answer, though its keys are gone before', async () => {
  const { _id: account } = await house.db.access.ensureAccount('soon erased');
  const { key } = await house.db.access.createKey({ account, role: 'user', label: 'test' });
  const erasing = fetch(`${house.url}/v1/erasures`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', prefer: 'wait=6' },
    body: JSON.stringify({ scope: { type: 'account' } }),
  });
  const open = async () => (await house.db.jobs.list({ account, limit: 1, kind: 'erasure' })).length === 1;
  await waitUntil('it is promised', open);
  await house.db.access.deleteKeys(account);
  expect((await erasing).status).toBe(202);
}, 20_000);
