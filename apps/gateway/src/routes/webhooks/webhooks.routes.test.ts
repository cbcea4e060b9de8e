import { randomUUID } from 'node:crypto';
import {
  DEFAULT_EVENT_TYPES,
  WebhookDeliveryListSchema,
  type WebhookDeliveryView,
  WebhookDeliveryViewSchema,
  WebhookEndpointCreatedSchema,
  WebhookEndpointListSchema,
  WebhookEndpointViewSchema,
  WebhookSecretSchema,
} from '@aigolos/contracts';
import type { WebhookDeliveryRecord, WebhookEndpointRecord } from '@aigolos/db';
import { createQueueWorker } from '@aigolos/queue';
import { testLog, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { z } from 'zod';
import { CHAT } from '../../../test/answers.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const QUEUE_PREFIX = `hooks-${randomUUID()}`;
const redis = useRedis();
const mongo = useMongo();
let house: House;
beforeEach(async () => {
  house = await openHouse(redis, mongo, { QUEUE_PREFIX, WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' });
});
afterEach(() => house.close());

const PATH = '/v1/webhook_endpoints';
const URL_HERE = 'http://127.0.0.1:1024/hook';
const parsed = async <Schema extends z.ZodType>(schema: Schema, response: Response | Promise<Response>) =>
  schema.parse(await (await response).json());
const create = (fields = {}) => parsed(WebhookEndpointCreatedSchema, house.post(PATH, { url: URL_HERE, ...fields }));
const patch = (id: string, body: object) =>
  house.call(`${PATH}/${id}`, {
    method: 'PATCH',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
const statusAndCode = async (response: Response) => [
  response.status,
  ((await response.json()) as { code: string }).code,
];

/** A delivery as it lies in the database. */
async function insertDelivery(fields: Partial<WebhookDeliveryRecord>): Promise<string> {
  const now = new Date();
  const _id = fields._id ?? 'whd_1';
  await house.db.webhooks.insertDeliveries([
    {
      _id,
      account: house.account,
      event: `evt_${_id}`,
      type: 'job.completed',
      job: 'cht_1',
      url: URL_HERE,
      order: 1,
      body: '{}',
      status: 'failed',
      attempts: [],
      nextAttemptAt: now,
      fence: 1,
      createdAt: now,
      expiresAt: now,
      ...fields,
    },
  ]);
  return _id;
}

/** What the deliverers' queue hands out from now on. */
function handedOut(): string[] {
  const ids: string[] = [];
  const worker = createQueueWorker({
    redis: { REDIS_URL: redis.url, QUEUE_PREFIX },
    queue: 'webhooks',
    concurrency: 1,
    handle: async (id) => {
      ids.push(id);
      return 'done';
    },
    log: testLog,
  });
  onTestFinished(() => worker.close());
  return ids;
}

describe('an endpoint', () => {
  test('shows its secret once, and never again', async () => {
    const response = await house.post(PATH, { url: URL_HERE, description: 'mine' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const { secret, ...view } = await parsed(WebhookEndpointCreatedSchema, response);
    expect(Buffer.from(/^whsec_(.+)$/.exec(secret)?.[1] ?? '', 'base64')).toHaveLength(32);
    expect(view).toMatchObject({ url: URL_HERE, events: DEFAULT_EVENT_TYPES, description: 'mine', status: 'active' });
    expect(response.headers.get('location')).toBe(`${PATH}/${view.id}`);
    const later = await Promise.all([
      house.call(`${PATH}/${view.id}`),
      house.call(PATH),
      patch(view.id, { description: 'still mine' }),
      house.post(`${PATH}/${view.id}/test`, undefined),
      house.call(`${PATH}/${view.id}/deliveries`),
    ]);
    for (const seen of later) {
      expect(seen.status).toBeLessThan(300);
      expect(await seen.text()).not.toContain(secret.slice('whsec_'.length));
    }
  });

  test('is listed newest first, page by page, and changed', async () => {
    const ids = [await create(), await create(), await create()].map(({ id }) => id).toReversed();
    const page = async (query: string) => parsed(WebhookEndpointListSchema, house.call(`${PATH}?${query}`));
    const first = await page('limit=2');
    expect([first.data.map(({ id }) => id), first.has_more]).toEqual([ids.slice(0, 2), true]);
    const rest = await page(`limit=2&after=${first.last_id}`);
    expect([rest.data.map(({ id }) => id), rest.has_more]).toEqual([ids.slice(2), false]);

    const change = { url: 'https://example.com/new', events: ['job.failed'], description: 'new', status: 'paused' };
    const changed = await parsed(WebhookEndpointViewSchema, patch(ids[0] ?? '', change));
    expect(changed).toMatchObject(change);
    expect(await parsed(WebhookEndpointViewSchema, house.call(`${PATH}/${ids[0]}`))).toEqual(changed);
  });

  test('is a 404 to everybody but its account', async () => {
    const { id } = await create();
    const delivery = await insertDelivery({ endpoint: id });
    const calls = [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/rotate_secret'],
      ['POST', '/test'],
      ['GET', '/deliveries'],
      ['POST', `/deliveries/${delivery}/replay`],
      ['POST', '/replay'],
    ] as const;
    for (const [method, path] of calls) {
      const response = await house.call(`${PATH}/${id}${path}`, {
        method,
        key: house.keys.stranger,
        ...(method !== 'GET' && { body: JSON.stringify(path === '/replay' ? { since: 0 } : {}) }),
        headers: { 'content-type': 'application/json' },
      });
      expect([path, ...(await statusAndCode(response))]).toEqual([path, 404, 'WEBHOOK_ENDPOINT_NOT_FOUND']);
    }
    const again = await house.call(`/v1/webhook_deliveries/${delivery}/replay`, {
      method: 'POST',
      key: house.keys.stranger,
    });
    expect(await statusAndCode(again)).toEqual([404, 'WEBHOOK_DELIVERY_NOT_FOUND']);
    const other = await create();
    const elsewhere = await house.post(`${PATH}/${other.id}/deliveries/${delivery}/replay`, undefined);
    expect(await statusAndCode(elsewhere)).toEqual([404, 'WEBHOOK_DELIVERY_NOT_FOUND']);
  });

  test('is refused with what would be right where something is wrong', async () => {
    const wrong = [
      [{}, 'url: must be an http or https address such as https://example.com/hooks'],
      [{ url: 'ftp://example.com' }, 'must be an http or https address'],
      [{ url: 'https://exa mple.com' }, 'must be an http or https address'],
      [{ url: `https://example.com/${'x'.repeat(2_048)}` }, 'must have at most 2048 characters'],
      [{ url: 'https://me:word@example.com' }, 'user name or password'],
      [{ url: 'http://10.0.0.1/hook' }, 'not an address of the public internet'],
      [{ url: 'http://[::ffff:169.254.169.254]/latest' }, "a cloud's metadata service"],
      [{ url: 'https://0xa.1/' }, 'not an address of the public internet'],
      [{ url: 'https://example.com:25/' }, 'must not have the port 25'],
      [{ url: URL_HERE, events: [] }, 'at least one event'],
      [{ url: URL_HERE, events: ['job.done'] }, 'must be one of job.started, job.completed'],
      [{ url: URL_HERE, event: 'job.failed' }, 'Unrecognized key: "event"'],
    ] as const;
    for (const [body, message] of wrong) {
      const response = await house.post(PATH, body);
      expect([response.status, await response.json()]).toMatchObject([
        400,
        { code: 'VALIDATION_FAILED', detail: expect.stringContaining(message) },
      ]);
    }
  });

  test('may be inside where the operator has allowed its name and port', async () => {
    const settings = {
      WEBHOOK_ALLOWED_HOSTS: 'hooks.internal,*.apps.internal',
      WEBHOOK_ALLOWED_PORTS: '443,8000-8099',
    };
    const other = await openHouse(redis, mongo, settings);
    onTestFinished(() => other.close());
    const statusOf = async (url: string) => (await other.post(PATH, { url })).status;
    const allowed = ['http://hooks.internal:8000/', 'http://a.b.apps.internal:8099/', 'https://example.com/'];
    for (const url of allowed) expect([url, await statusOf(url)]).toEqual([url, 201]);
    const refused = ['http://hooks.internal/', 'http://apps.internal:8000/', 'https://example.com:8443/'];
    for (const url of refused) expect([url, await statusOf(url)]).toEqual([url, 400]);
  });

  test('past the fiftieth of an account is refused', async () => {
    await create();
    const [first] = await house.db.webhooks.listEndpoints({ account: house.account, limit: 1 });
    for (let n = 2; n <= 50; n++)
      await house.db.webhooks.insertEndpoint({ ...(first as WebhookEndpointRecord), _id: `whe_${n}` });
    const response = await house.post(PATH, { url: URL_HERE });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { detail: expect.stringContaining('at most 50 webhook endpoints') },
    ]);
  });

  test('that is deleted takes its deliveries with it', async () => {
    const { id } = await create();
    const dropped = await insertDelivery({ endpoint: id, status: 'pending' });
    const other = await insertDelivery({ _id: 'whd_other', status: 'pending' });
    const response = await house.call(`${PATH}/${id}`, { method: 'DELETE' });
    expect([response.status, await response.json()]).toEqual([
      200,
      { id, object: 'webhook_endpoint.deleted', deleted: true },
    ]);
    expect((await house.call(`${PATH}/${id}`)).status).toBe(404);
    expect(await house.db.webhooks.findDelivery(dropped)).toBeUndefined();
    expect(await house.db.webhooks.findDelivery(other)).toMatchObject({ status: 'pending' });
  });

  test('that is used again gets what waited, at once', async () => {
    const { id } = await create();
    const pending = await insertDelivery({
      endpoint: id,
      status: 'pending',
      nextAttemptAt: new Date(Date.now() + 3_600_000),
    });
    await house.db.webhooks.suspendEndpoint(id, 'paused', 'it failed too often');
    expect(await parsed(WebhookEndpointViewSchema, house.call(`${PATH}/${id}`))).toMatchObject({
      status: 'paused',
      status_reason: 'it failed too often',
    });
    const ids = handedOut();
    expect(await parsed(WebhookEndpointViewSchema, patch(id, { status: 'active' }))).toMatchObject({
      status: 'active',
      status_reason: null,
      failures_in_row: 0,
    });
    await waitUntil('it is handed out', () => ids.includes(pending));
    expect((await house.db.webhooks.findDelivery(pending))?.nextAttemptAt.getTime()).toBeLessThanOrEqual(Date.now());
  });
});

describe('a new secret', () => {
  const rotate = (path: string, body?: object) => parsed(WebhookSecretSchema, house.post(path, body));
  const secondsFromNow = (at: number | null) => (at ?? 0) - Date.now() / 1_000;

  test('of an endpoint signs beside the old one for a day, or as long as is asked for', async () => {
    const { id, secret } = await create();
    const path = `${PATH}/${id}/rotate_secret`;
    const second = await rotate(path);
    expect(second.secret).not.toBe(secret);
    expect(secondsFromNow(second.previous_secret_until)).toBeGreaterThan(86_390);
    expect((await house.db.webhooks.findEndpoint(id))?.secrets).toMatchObject({
      current: second.secret,
      previous: secret,
    });
    const third = await rotate(path, { overlap_seconds: 60 });
    expect(secondsFromNow(third.previous_secret_until)).toBeLessThan(61);
    const { secret: fourth, previous_secret_until } = await rotate(path, { overlap_seconds: 0 });
    expect(previous_secret_until).toBeNull();
    expect((await house.db.webhooks.findEndpoint(id))?.secrets).toEqual({ current: fourth });
    expect((await house.post(path, { overlap_seconds: 10 ** 7 })).status).toBe(400);
  });

  test.each([
    ['an endpoint', async () => `${PATH}/${(await create()).id}/rotate_secret`],
    ['an account', async () => '/v1/account/rotate_webhook_secret'],
  ])('of %s that is asked for several times at once: none is shown that never signs', async (_, pathOf) => {
    const path = await pathOf();
    const shown = await Promise.all([rotate(path), rotate(path)]);
    const account = await house.db.access.accountById(house.account);
    const [endpoint] = await house.db.webhooks.listEndpoints({ account: house.account, limit: 1 });
    const { current, previous } = (path.startsWith(PATH) ? endpoint?.secrets : account?.webhookSecrets) ?? {
      current: '',
    };
    expect(new Set([current, previous])).toEqual(new Set(shown.map(({ secret }) => secret)));
  });

  test('of an account is made at the first call, and shown by none other', async () => {
    const first = await rotate('/v1/account/rotate_webhook_secret');
    expect(first).toMatchObject({ secret: expect.stringMatching(/^whsec_/), previous_secret_until: null });
    expect(await (await house.call('/v1/account')).text()).not.toContain(first.secret);
  });
});

describe('deliveries', () => {
  const list = async (path: string) =>
    (await parsed(WebhookDeliveryListSchema, house.call(path))).data.map(
      (delivery: WebhookDeliveryView) => delivery.id,
    );

  test('are listed with their attempts, by endpoint, job and status', async () => {
    const { id } = await create();
    const at = (second: number) => new Date(1_767_225_600_000 + second * 1_000);
    await insertDelivery({ _id: 'whd_a', endpoint: id, createdAt: at(1), status: 'delivered', settledAt: at(2) });
    const attempts = [{ at: at(2), ms: 12.5, status: 503, error: 'it answered 503' }];
    await insertDelivery({
      _id: 'whd_b',
      endpoint: id,
      createdAt: at(2),
      status: 'pending',
      attempts,
      nextAttemptAt: at(9),
    });
    await insertDelivery({ _id: 'whd_url', createdAt: at(3), job: 'cht_2' });
    const path = `${PATH}/${id}/deliveries`;
    const page = await parsed(WebhookDeliveryListSchema, house.call(`${path}?limit=1`));
    expect(page).toMatchObject({
      has_more: true,
      data: [
        {
          id: 'whd_b',
          event: 'evt_whd_b',
          endpoint: id,
          next_attempt_at: 1_767_225_609,
          attempts: [{ at: 1_767_225_602, http_status: 503, duration_ms: 12.5, error: 'it answered 503' }],
        },
      ],
    });
    expect(await list(`${path}?after=whd_b`)).toEqual(['whd_a']);
    expect(await list(`${path}?status=delivered`)).toEqual(['whd_a']);
    expect(await list('/v1/webhook_deliveries')).toEqual(['whd_url', 'whd_b', 'whd_a']);
    expect(await list('/v1/webhook_deliveries?job=cht_2')).toEqual(['whd_url']);
  });

  test('sent again keep the id of their event; of a time, those of that time', async () => {
    const { id } = await create();
    const old = await insertDelivery({ _id: 'whd_old', endpoint: id, createdAt: new Date('2026-01-01') });
    const one = await insertDelivery({ _id: 'whd_one', endpoint: id, status: 'delivered', settledAt: new Date() });
    const ids = handedOut();
    const again = await house.post(`${PATH}/${id}/deliveries/${one}/replay`, undefined);
    expect([again.status, await parsed(WebhookDeliveryViewSchema, again)]).toMatchObject([
      202,
      { id: one, event: 'evt_whd_one', status: 'pending', settled_at: null },
    ]);
    await waitUntil('it is handed out', () => ids.includes(one));
    expect(await house.db.webhooks.findDelivery(one)).toMatchObject({ replayedAt: expect.any(Date) });

    const replay = async (since: unknown) => (await house.post(`${PATH}/${id}/replay`, { since })).json();
    expect(await replay(Math.floor(Date.now() / 1_000) - 60)).toEqual({ object: 'webhook_replay', replayed: 0 });
    expect(ids).not.toContain(old);
    expect(await replay('2025-12-31T23:00:00Z')).toEqual({ object: 'webhook_replay', replayed: 1 });
    await waitUntil('the old one is handed out', () => ids.includes(old));
    expect(await replay('yesterday')).toMatchObject({ status: 400, detail: expect.stringContaining('ISO 8601') });
  });

  test('go to an endpoint that is in use only', async () => {
    const { id } = await create();
    const delivery = await insertDelivery({ endpoint: id });
    await patch(id, { status: 'paused' });
    expect((await house.post(`${PATH}/${id}/test`, undefined)).status).toBe(202);
    await patch(id, { status: 'active' });
    await house.db.webhooks.suspendEndpoint(id, 'disabled', 'it is gone');
    for (const [path, body] of [
      ['/test', undefined],
      [`/deliveries/${delivery}/replay`, undefined],
      ['/replay', { since: 0 }],
    ] as const) {
      const response = await house.post(`${PATH}/${id}${path}`, body);
      expect([path, ...(await statusAndCode(response))]).toEqual([path, 409, 'WEBHOOK_ENDPOINT_NOT_ACTIVE']);
    }
  });

  test('a test is one of its own type, under the endpoint itself', async () => {
    const { id } = await create();
    const ids = handedOut();
    const delivery = await parsed(WebhookDeliveryViewSchema, house.post(`${PATH}/${id}/test`, undefined));
    expect(delivery).toMatchObject({ type: 'endpoint.test', endpoint: id, job: null, status: 'pending' });
    await waitUntil('it is handed out', () => ids.includes(delivery.id));
  });
});

describe('X-Webhook-Url', () => {
  const submit = (url: string) =>
    house.post('/v1/chat/completions', CHAT, { prefer: 'respond-async', 'x-webhook-url': url });

  test('goes with the job, once the account has a secret that signs', async () => {
    const refused = await submit(URL_HERE);
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { error: { param: 'X-Webhook-Url', message: expect.stringContaining('POST /v1/account/rotate_webhook_secret') } },
    ]);
    await house.post('/v1/account/rotate_webhook_secret', undefined);
    const { id } = (await (await submit(URL_HERE)).json()) as { id: string };
    expect(await house.db.jobs.find(id)).toMatchObject({ webhookUrl: URL_HERE });
  });

  test.each([
    ['example.com', 'must be an http or https address'],
    ['http://169.254.169.254/latest', "a cloud's metadata service"],
    ['https://2852039166/latest', "a cloud's metadata service"],
    ['https://10.1/', 'not an address of the public internet'],
    ['https://example.com:6/', 'must not have the port 6'],
  ])('%s is refused, and no job is made', async (url, message) => {
    await house.post('/v1/account/rotate_webhook_secret', undefined);
    const response = await submit(url);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { param: 'X-Webhook-Url', message: expect.stringContaining(message) } },
    ]);
    expect(await house.db.jobs.list({ account: house.account, limit: 1 })).toEqual([]);
  });
});
