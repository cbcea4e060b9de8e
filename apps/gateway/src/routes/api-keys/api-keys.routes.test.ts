import { type ApiKeyView, newId, type Role, type Scope } from '@aigolos/contracts';
import { newJobRecord } from '@aigolos/db';
import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHAT } from '../../../test/answers.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let other: string;
beforeAll(async () => {
  house = await openHouse(redis, mongo);
  other = (await house.db.access.findAccount('other'))?._id ?? '';
});
afterAll(() => house?.close());

const PATH = '/v1/api_keys';
const HOUR_SECONDS = 60 * 60;
const inHours = (hours: number) => Math.floor(Date.now() / 1_000) + hours * HOUR_SECONDS;

interface Made extends ApiKeyView {
  key: string;
}

async function make(body: object, key = house.keys.user): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return house.call(PATH, { method: 'POST', body: JSON.stringify(body), headers, key });
}
const made = async (body: object, key?: string) => (await (await make(body, key)).json()) as Made;
const statusOf = async (path: string, key: string, init: RequestInit = {}) =>
  (await house.call(path, { key, ...init })).status;
const keyOf = async (fields: { role?: Role; scopes?: Scope[]; expiresAt?: Date }, account = house.account) =>
  (await house.db.access.createKey({ account, role: 'user', label: 'test', ...fields })).key;

describe('a key', () => {
  test('is shown once, and works from the next request on; lists have all of it but its text', async () => {
    const answer = await make({ label: 'mine', scopes: ['speech', 'chat'] });
    const { key, ...view } = (await answer.json()) as Made;
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(answer.headers.get('location')).toBe(`${PATH}/${view.id}`);
    expect(view).toMatchObject({ label: 'mine', role: 'user', scopes: ['speech', 'chat'], expires_at: null });
    expect(view.created_by).toMatch(/^key_[0-9a-f]{32}$/);
    expect(await statusOf('/v1/models', key)).toBe(200);
    const list = await (await house.call(PATH)).text();
    expect(list).toContain(view.id);
    expect(list).not.toContain(key.slice(-38));
    expect(await (await house.call(`${PATH}/${view.id}`)).json()).toMatchObject({ id: view.id, label: 'mine' });
  });

  test('is named by the account that it belongs to, with its last use', async () => {
    const { key, id } = await made({ label: 'looks at itself' });
    await statusOf('/v1/models', key);
    await waitUntil('the use is noted', async () => {
      const account = (await (await house.call('/v1/account', { key })).json()) as { api_key: ApiKeyView };
      expect(account).toMatchObject({ id: house.account, role: 'admin', api_key: { id, label: 'looks at itself' } });
      return account.api_key.last_used_at !== null;
    });
  });

  test('is revoked, and stays listed as such', async () => {
    const { key, id } = await made({});
    const revoked = await house.call(`${PATH}/${id}`, { method: 'DELETE' });
    expect([revoked.status, await revoked.json()]).toMatchObject([200, { id, revoked_at: expect.any(Number) }]);
    await waitUntil('it is refused', async () => (await statusOf('/v1/models', key)) === 401);
    const refused = await house.call('/v1/models', { key });
    expect(await refused.json()).toMatchObject({
      error: { code: 'api_key_revoked', message: expect.stringContaining(id) },
    });
    expect(await (await house.call(`${PATH}/${id}`)).json()).toMatchObject({ revoked_at: expect.any(Number) });
  });

  test('has an account at most a hundred of', async () => {
    const { _id: account } = await house.db.access.ensureAccount('collector');
    const key = await keyOf({}, account);
    for (let count = 1; count < 100; count += 1) await keyOf({}, account);
    const refused = await make({}, key);
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { detail: expect.stringContaining('at most 100') },
    ]);
  });
});

describe('a key that makes keys gives no more than it has:', () => {
  test('its own scopes, role and end, where nothing is said', async () => {
    const expiresAt = new Date((inHours(1) + 0.5) * 1_000);
    const maker = await keyOf({ scopes: ['api_keys', 'speech'], expiresAt });
    expect(await made({}, maker)).toMatchObject({
      scopes: ['api_keys', 'speech'],
      role: 'user',
      expires_at: inHours(1),
    });
    const all = await keyOf({});
    const { id } = await made({}, all);
    // All that there will ever be, as it has itself.
    expect(await house.db.access.findOwnedKey(house.account, id)).not.toHaveProperty('scopes');
  });

  test.each([
    ['a scope', { scopes: ['speech', 'chat'] }, 'cannot give the scopes chat'],
    ['a role', { role: 'admin' }, 'cannot give the role admin'],
    ['a later end', { expires_at: inHours(48) }, 'cannot give a later end'],
    ['a key of another account', { account: 'acc_other' }, "need an operator's key"],
  ])('not %s', async (_, body, why) => {
    const maker = await keyOf({ scopes: ['api_keys', 'speech'], expiresAt: new Date(inHours(1) * 1_000) });
    const refused = await make(body, maker);
    const { code, detail } = (await refused.json()) as { code: string; detail: string };
    expect([refused.status, code, detail]).toEqual([403, 'ACCESS_DENIED', expect.stringContaining(why)]);
  });

  test('and does not take away one that may do more', async () => {
    const { record } = await house.db.access.createKey({ account: house.account, role: 'admin', label: 'operator' });
    expect(await statusOf(`${PATH}/${record._id}`, house.keys.user, { method: 'DELETE' })).toBe(403);
    expect(await statusOf(`${PATH}/${record._id}`, house.keys.admin, { method: 'DELETE' })).toBe(200);
  });

  test.each([
    ['a scope that there is not', { scopes: ['singing'] }, 'must be among transcriptions'],
    ['no scope at all', { scopes: [] }, 'at least one scope'],
    ['an end that is past', { expires_at: 1 }, 'expires_at is past'],
    ['an end that no calendar has', { expires_at: Number.MAX_SAFE_INTEGER }, 'expires_at'],
    ['a field that there is not', { scope: 'chat' }, 'scope'],
  ])('%s is a mistake', async (_, body, why) => {
    const refused = await make(body);
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining(why)]);
  });
});

describe('scopes and roles', () => {
  const json = { 'content-type': 'application/json' };

  test('a key for hearing and speaking does that, sees models and limits, and nothing else', async () => {
    const key = await keyOf({ scopes: ['transcriptions', 'speech'] });
    const body = JSON.stringify({ model: 'tts-1', voice: 'joe', input: 'hi' });
    const async = { prefer: 'respond-async', ...json };
    expect(await statusOf('/v1/audio/speech', key, { method: 'POST', body, headers: async })).toBe(202);
    for (const path of ['/v1/models', '/v1/audio/voices', '/v1/limits', '/v1/account']) {
      expect(await statusOf(path, key), path).toBe(200);
    }
    const refused = await house.call('/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify(CHAT),
      headers: json,
      key,
    });
    expect([refused.status, await refused.json()]).toMatchObject([
      403,
      {
        error: { type: 'permission_error', code: 'insufficient_scope', message: expect.stringContaining('scope chat') },
      },
    ]);
    for (const path of ['/v1/jobs', '/v1/conversations/conv_1', PATH, '/v1/files']) {
      expect(await statusOf(path, key), path).toBe(403);
    }
  });

  test('a batch needs the scope of what its lines call', async () => {
    const key = await keyOf({ scopes: ['batches'] });
    const batch = { endpoint: '/v1/chat/completions', completion_window: '24h', input_file_id: 'file_1' };
    const refused = await house.call('/v1/batches', {
      method: 'POST',
      body: JSON.stringify(batch),
      headers: json,
      key,
    });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('scope chat')]);
    const both = await keyOf({ scopes: ['batches', 'chat'] });
    expect(await statusOf('/v1/batches', both, { method: 'POST', body: JSON.stringify(batch), headers: json })).toBe(
      404,
    );
  });

  test('the archive of an export is not had as the result of a job', async () => {
    const id = newId('export');
    await house.db.jobs.insert(newJobRecord({ _id: id, kind: 'export', account: house.account, task: {} }));
    const key = await keyOf({ scopes: ['jobs:read'] });
    expect(await statusOf(`/v1/jobs/${id}`, key)).toBe(200);
    expect(await statusOf(`/v1/jobs/${id}/result`, key)).toBe(403);
    expect(await statusOf(`/v1/jobs/${id}/result`, await keyOf({ scopes: ['jobs:read', 'exports'] }))).toBe(409);
  });

  test('a read-only key looks, and changes nothing; so does any key of a read-only account', async () => {
    const { _id: account } = await house.db.access.ensureAccount('reader', 'read-only');
    for (const key of [await keyOf({ role: 'read-only' }), await keyOf({ role: 'admin' }, account)]) {
      expect(await statusOf('/v1/jobs', key)).toBe(200);
      const refused = await house.call('/v1/chat/completions', {
        method: 'POST',
        body: JSON.stringify(CHAT),
        headers: json,
        key,
      });
      expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: 'access_denied' } }]);
      expect(await statusOf('/v1/accounts', key)).toBe(403);
    }
  });

  test("an operator's key without the scope admin is no operator's", async () => {
    const key = await keyOf({ role: 'admin', scopes: ['erasures', 'api_keys'] });
    expect(await statusOf('/v1/accounts', key)).toBe(403);
    expect(await statusOf(`/v1/erasures?account=${other}`, key)).toBe(403);
    expect(await statusOf(`${PATH}?account=${other}`, key)).toBe(403);
  });
});

describe("an operator's key", () => {
  const patch = (id: string, body: object) =>
    house.call(`/v1/accounts/${id}`, {
      method: 'PATCH',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      key: house.keys.admin,
    });
  const post = (body: object) =>
    house.call('/v1/accounts', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      key: house.keys.admin,
    });

  test('makes an account and a key for it, which it lists and revokes', async () => {
    const account = (await (await post({ username: 'bob' })).json()) as { id: string };
    expect(account).toMatchObject({ username: 'bob', role: 'user', disabled_at: null });
    const key = await made({ account: account.id, label: "bob's" }, house.keys.admin);
    expect(key).toMatchObject({ account: account.id, role: 'user' });
    expect(await (await house.call('/v1/account', { key: key.key })).json()).toMatchObject({ username: 'bob' });
    const listed = await house.call(`${PATH}?account=${account.id}`, { key: house.keys.admin });
    expect(await listed.json()).toMatchObject({ data: [{ id: key.id }] });
    expect(await statusOf(`${PATH}/${key.id}`, house.keys.admin, { method: 'DELETE' })).toBe(200);
    const again = await post({ username: 'bob' });
    expect([again.status, await again.json()]).toMatchObject([409, { code: 'ACCOUNT_EXISTS' }]);
  });

  test('lists accounts page by page, disables one and enables it', async () => {
    const { id } = (await (await post({ username: 'carol' })).json()) as { id: string };
    const key = await keyOf({}, id);
    const first = await house.call('/v1/accounts?limit=1', { key: house.keys.admin });
    expect(await first.json()).toMatchObject({ data: [{ id }], has_more: true });
    const next = await house.call(`/v1/accounts?limit=1&after=${id}`, { key: house.keys.admin });
    expect(await next.json()).toMatchObject({ data: [{ object: 'account' }] });
    expect(await (await patch(id, { disabled: true })).json()).toMatchObject({ disabled_at: expect.any(Number) });
    const refused = await house.call('/v1/models', { key });
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: 'account_disabled' } }]);
    expect(await (await patch(id, { disabled: false })).json()).toMatchObject({ disabled_at: null });
    await waitUntil('its keys are taken again', async () => (await statusOf('/v1/models', key)) === 200);
  });

  test('does not lock itself out', async () => {
    for (const body of [{ disabled: true }, { role: 'user' }]) {
      expect((await patch(house.account, body)).status).toBe(403);
    }
    expect((await patch(house.account, { role: 'admin' })).status).toBe(200);
  });
});
