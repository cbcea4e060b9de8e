import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  ConversationViewSchema,
  ErasureListSchema,
  type ErasureView,
  ErasureViewSchema,
  JwksSchema,
} from '@aigolos/contracts';
import { newJobRecord } from '@aigolos/db';
import { requestErasure, verifyReceipt } from '@aigolos/lifecycle';
import { startRedis, useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CHAT, heldBack, said } from '../../../test/answers.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let dir: string;
let house: House;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'aigolos-erasures-'));
  house = await openHouse(redis, mongo, { BLOB_DIR: dir });
});
afterEach(async () => {
  await house.close();
  await rm(dir, { recursive: true, force: true });
});

interface Deleted {
  erasure: string;
  receipt: string | null;
}
const remove = async (path: string) => {
  const response = await house.call(path, { method: 'DELETE' });
  return { status: response.status, ...((await response.json()) as Deleted) };
};
const erase = (scope: object, fields = {}, key = house.keys.user, headers = {}) =>
  house.call('/v1/erasures', {
    method: 'POST',
    key,
    body: JSON.stringify({ scope, ...fields }),
    headers: { 'content-type': 'application/json', ...headers },
  });
const seen = async (response: Response) => ErasureViewSchema.parse(await response.json());
const statusOf = async (path: string, key = house.keys.user) => (await house.call(path, { key })).status;

async function read(receipt: string | null) {
  const keys = JwksSchema.parse(await (await fetch(new URL('/.well-known/jwks.json', house.url))).json());
  return verifyReceipt(receipt ?? '', keys);
}

/** A finished turn of a new conversation. */
async function talk(): Promise<{ id: string; conversation: string }> {
  const response = await house.post('/v1/chat/completions', { ...CHAT, conversation: 'new' });
  const { id, conversation } = (await response.json()) as { id: string; conversation: { id: string } };
  return { id, conversation: conversation.id };
}

async function insertEnded({ db, account }: House, id: string): Promise<void> {
  const task = { model: 'test', messages: [], stop: [] };
  await db.jobs.insert(newJobRecord({ _id: id, kind: 'chat', account, status: 'completed', task }));
}

async function storeBlob(key: string): Promise<void> {
  await house.blobs.commit(await house.blobs.receive(Readable.from(['audio']), { maxBytes: 9 }), key);
}

describe('a deleted job', () => {
  test('is gone at once, and the receipt of its erasure says so', async () => {
    await house.work('chat', async () => said('hello'));
    const { id, conversation } = await talk();
    const { status, erasure, receipt } = await remove(`/v1/jobs/${id}`);
    expect(status).toBe(200);
    expect([await statusOf(`/v1/jobs/${id}`), await statusOf(`/v1/jobs/${id}/result`)]).toEqual([404, 404]);
    expect((await remove(`/v1/jobs/${id}`)).status).toBe(404);
    expect(await read(receipt)).toMatchObject({ jti: erasure, sub: house.account, removed: { chat: { ids: [id] } } });
    expect(await seen(await house.call(`/v1/erasures/${erasure}`))).toMatchObject({ receipt, removed: { chat: 1 } });
    // What was said belongs to the conversation.
    expect(await house.db.conversations.lastMessages(conversation, 9)).toHaveLength(2);
  });

  test('whose files cannot be deleted yet is gone all the same; what is left is seen, and goes when that is asked again', async () => {
    await house.work('chat', async () => said('hello'));
    const { id } = await talk();
    await storeBlob(`${id}/output-1.wav`);
    const blobs = join(dir, 'blobs');
    await rename(blobs, `${blobs}-away`);
    await writeFile(blobs, 'not a folder');
    const { status, erasure, receipt } = await remove(`/v1/jobs/${id}`);
    expect([status, receipt, await statusOf(`/v1/jobs/${id}`)]).toEqual([202, null, 404]);
    const { pending } = await seen(await house.call(`/v1/erasures/${erasure}`));
    const attempts = expect.any(Number) as number;
    expect(pending).toEqual([{ what: id, reason: 'its files could not be removed yet', attempts }]);
    await rm(blobs);
    await rename(`${blobs}-away`, blobs);
    const again = await erase({ type: 'job', id });
    expect([again.status, await seen(again)]).toMatchObject([
      200,
      { id: erasure, removed: { chat: 1, file: 1 }, pending: [] },
    ]);
    expect((await house.files()).blobs).toEqual([]);
  });

  test('is gone while Redis is away', async () => {
    const own = await startRedis();
    const other = await openHouse(own, mongo);
    onTestFinished(() => other.close());
    const id = 'cht_1';
    await insertEnded(other, id);
    await own.kill('SIGKILL');
    const response = await other.call(`/v1/jobs/${id}`, { method: 'DELETE' });
    expect([response.status, (await other.call(`/v1/jobs/${id}`)).status]).toEqual([202, 404]);
    const { erasure } = (await response.json()) as Deleted;
    expect(await seen(await other.call(`/v1/erasures/${erasure}`))).toMatchObject({
      pending: [{ what: id, reason: expect.stringContaining('its live stream') }],
    });
  });
});

describe('a conversation', () => {
  test('can be read, and deleted with its messages and jobs, by its owner alone', async () => {
    await house.work('chat', async () => said('hello'));
    const { id, conversation } = await talk();
    const path = `/v1/conversations/${conversation}`;
    const view = ConversationViewSchema.parse(await (await house.call(path)).json());
    expect(view).toMatchObject({ id: conversation, object: 'conversation', metadata: {} });
    for (const method of ['GET', 'DELETE']) {
      const response = await house.call(path, { method, key: house.keys.stranger });
      expect([response.status, await response.json()]).toMatchObject([404, { error: { type: 'not_found_error' } }]);
    }
    const { status, receipt } = await remove(path);
    expect(status).toBe(200);
    expect([await statusOf(path), await statusOf(`/v1/jobs/${id}`)]).toEqual([404, 404]);
    expect((await read(receipt)).removed).toMatchObject({
      conversation: { ids: [conversation] },
      message: { count: 2 },
      chat: { ids: [id] },
    });
    expect(await house.db.conversations.lastMessages(conversation, 9)).toEqual([]);
  });

  test('whose turn runs is deleted with it: the turn is stopped', async () => {
    const { process, started } = heldBack();
    await house.work('chat', process);
    const submitted = await house.post(
      '/v1/chat/completions',
      { ...CHAT, conversation: 'new' },
      { prefer: 'respond-async' },
    );
    const { id, conversation } = (await submitted.json()) as { id: string; conversation: string };
    await started;
    const { status, receipt } = await remove(`/v1/conversations/${conversation}`);
    expect(status).toBe(200);
    expect((await read(receipt)).removed).toMatchObject({ chat: { ids: [id] } });
    expect(await statusOf(`/v1/jobs/${id}`)).toBe(404);
  });
});

describe('the terms of an erasure', () => {
  const URL_HERE = 'https://93.184.215.14/hooks';
  beforeEach(() => house.post('/v1/account/rotate_webhook_secret', undefined));

  test('stand in the body or in headers', async () => {
    await insertEnded(house, 'cht_1');
    await insertEnded(house, 'cht_2');
    const inBody = await erase({ type: 'job', id: 'cht_1' }, { priority: 'high', webhook_url: URL_HERE });
    const inHeaders = { 'x-priority': 'high', 'x-webhook-url': URL_HERE, 'x-start-by': '9', 'x-metadata-team': 'red' };
    const byHeaders = await erase({ type: 'job', id: 'cht_2' }, {}, house.keys.user, inHeaders);
    expect(inBody.headers.get('x-warnings')).toBeNull();
    expect(byHeaders.headers.get('x-warnings')).toBe(
      'Ignored, because erasures do not have it: X-Start-By, X-Metadata.',
    );
    for (const response of [inBody, byHeaders]) {
      const { id, priority } = await seen(response);
      expect([response.status, priority]).toEqual([200, 'high']);
      expect(await house.db.jobs.find(id)).toMatchObject({ webhookUrl: URL_HERE, webhooksPending: true });
    }
  });

  test('of one that is under way stay as they are, and whoever asks for others is warned', async () => {
    await insertEnded(house, 'cht_1');
    const scope = { type: 'job' as const, id: 'cht_1' };
    const { _id } = await requestErasure({ db: house.db }, house.account, { scope });
    const again = await erase(scope, { priority: 'high', webhook_url: URL_HERE });
    expect(again.headers.get('x-warnings')).toBe(
      'Ignored, because the erasure was under way already: webhook_url, priority.',
    );
    expect(await seen(again)).toMatchObject({ id: _id, priority: 'default' });
  });

  test.each([
    [{ type: 'job', id: 'cht_1' }, 'http://169.254.169.254/latest', "a cloud's metadata service"],
    [{ type: 'account' }, URL_HERE, 'the secret that would sign it goes first'],
  ])('%j cannot be told to %s', async (scope, url, says) => {
    await insertEnded(house, 'cht_1');
    const refused = await erase(scope, { webhook_url: url });
    expect([refused.status, await refused.json()]).toMatchObject([400, { detail: expect.stringContaining(says) }]);
    expect(await statusOf('/v1/jobs/cht_1')).toBe(200);
  });
});

describe('an erasure', () => {
  test('of an account is handed to worker-maintenance, once; the account and an operator see it, and nobody else', async () => {
    const begun = await erase({ type: 'account' }, {}, house.keys.user, { prefer: 'respond-async' });
    const { id, status } = await seen(begun);
    const location = `/v1/erasures/${id}`;
    expect([begun.status, begun.headers.get('location'), status]).toEqual([202, location, 'queued']);
    expect((await seen(await erase({ type: 'account' }, {}, house.keys.user, { prefer: 'wait=0' }))).id).toBe(id);
    const operator = await operatorOf('other');
    const seenBy = async (key: string) => [await statusOf(location, key), await statusOf(`/v1/jobs/${id}`, key)];
    expect(await seenBy(house.keys.user)).toEqual([200, 200]);
    expect(await seenBy(operator)).toEqual([200, 404]);
    expect(await seenBy(house.keys.stranger)).toEqual([404, 404]);
    const list = await house.call(`/v1/erasures?account=${house.account}`, { key: operator });
    expect(ErasureListSchema.parse(await list.json()).data.map((entry: ErasureView) => entry.id)).toEqual([id]);
  });

  test("of somebody else's data needs an operator's key", async () => {
    const scope = { type: 'job', id: 'cht_1' };
    expect((await erase({ type: 'account' }, { username: 'test' }, house.keys.stranger)).status).toBe(403);
    expect(await statusOf(`/v1/erasures?account=${house.account}`, house.keys.stranger)).toBe(403);
    expect((await erase(scope, { username: 'nobody' }, house.keys.admin)).status).toBe(404);
    await insertEnded(house, scope.id);
    expect((await erase(scope, {}, house.keys.stranger)).status).toBe(404);
    const response = await erase(scope, { username: 'test' }, await operatorOf('other'));
    expect([response.status, await seen(response)]).toMatchObject([200, { account: house.account }]);
  });

  test('is no job that a list of jobs shows, and cannot be deleted or cancelled', async () => {
    await insertEnded(house, 'cht_1');
    const { erasure } = await remove('/v1/jobs/cht_1');
    const jobs = async (query: string) =>
      ((await (await house.call(`/v1/jobs${query}`)).json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    expect([await jobs(''), await jobs('?kind=erasure')]).toEqual([[], [erasure]]);
    expect((await remove(`/v1/jobs/${erasure}`)).status).toBe(409);
    expect((await erase({ type: 'job', id: erasure })).status).toBe(409);
    const cancelled = await house.call(`/v1/jobs/${erasure}/cancel`, { method: 'POST' });
    expect([cancelled.status, await cancelled.json()]).toMatchObject([409, { code: 'JOB_NOT_CANCELLABLE' }]);
  });
});

const operatorOf = async (username: string) => {
  const { _id: account } = await house.db.access.ensureAccount(username);
  await house.db.access.changeAccount(account, { role: 'admin' });
  return (await house.db.access.createKey({ account, role: 'admin', label: 'test' })).key;
};
