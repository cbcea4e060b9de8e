import { createEgress, createEgressRules } from '@aigolos/egress';
import { createMetrics } from '@aigolos/runtime';
import { useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newSecret, openTestInstallation, type TestInstallation } from '../test/installation.ts';
import { useReceivers } from '../test/receiver.ts';
import { createDeliverer } from './deliver.processor.ts';
import { createDeliveryMetrics } from './metrics.ts';
import { createReceiverSlots } from './receiver-slots.ts';
import type { SettlementPlan } from './settlement.ts';
import { createSweep } from './sweep.ts';

const redis = useRedis();
const mongo = useMongo();
const receivers = useReceivers();
let given: TestInstallation;
beforeAll(async () => {
  given = await openTestInstallation(redis, mongo);
});
afterAll(() => given.close());

const HOUR_MS = 3_600_000;
const metrics = createDeliveryMetrics(createMetrics('test'));

function deliverer(plan: Partial<SettlementPlan> = {}, { timeoutMs = 2_000, limit = 8 } = {}) {
  const { db, log } = given;
  return createDeliverer({
    db,
    slots: createReceiverSlots(limit),
    exchanges: { egress: createEgress(createEgressRules({ networks: ['127.0.0.0/8'] })), timeoutMs },
    plan: { pausesMs: [5_000, 60_000], pauseAfterFailures: 100, pauseAfterMs: 0, ...plan },
    metrics,
    log,
  });
}
const makeDue = (id: string) => given.db.webhooks.replayDelivery(given.account, id, new Date(Date.now() + HOUR_MS));
const sweep = async () => {
  await createSweep({ ...given, metrics })(new AbortController().signal);
};

describe('a delivery', () => {
  test('is signed, arrives once, and is written down with its attempt', async () => {
    const current = newSecret();
    const receiver = await receivers.start();
    const endpoint = await given.insertEndpoint(receiver.url, { secrets: { current } });
    const id = await given.insertDelivery(endpoint);
    const { handle } = deliverer();
    expect([await handle(id), await handle(id), await handle('whd_unknown')]).toEqual(['done', 'done', 'done']);
    const { status, attempts, event } = await given.delivery(id);
    expect({ status, attempts }).toMatchObject({ status: 'delivered', attempts: [{ status: 204 }] });
    expect(receiver.received).toHaveLength(1);
    const [{ body, headers } = { body: '', headers: {} }] = receiver.received;
    expect(headers).toMatchObject({ 'webhook-id': event, 'content-type': 'application/json' });
    expect(new Webhook(current).verify(body, headers as Record<string, string>)).toMatchObject({ id: event });
  });

  test('to a URL that its job named is signed with the account’s secret', async () => {
    const current = newSecret();
    const receiver = await receivers.start();
    await given.db.access.replaceWebhookSecrets(given.account, undefined, { current });
    const id = await given.insertDelivery(undefined, { url: receiver.url });
    expect(await deliverer().handle(id)).toBe('done');
    const [{ body, headers } = { body: '', headers: {} }] = receiver.received;
    const { event } = await given.delivery(id);
    expect(new Webhook(current).verify(body, headers as Record<string, string>)).toMatchObject({ id: event });
  });

  test('is taken by one of several processes, and by another when that one dies', async () => {
    const receiver = await receivers.start();
    const id = await given.insertDelivery(await given.insertEndpoint(receiver.url));
    const row = await given.delivery(id);
    const claims = await Promise.all([1, 2, 3].map(() => given.db.webhooks.claimDelivery(row, 300)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    const { handle } = deliverer();
    const held = await handle(id);
    expect(held).toMatchObject({ againAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= 300) });
    expect(receiver.received).toHaveLength(0);
    await waitUntil('its lease has run out', async () => (await handle(id)) === 'done');
    expect(receiver.received).toHaveLength(1);
  });

  test('whose lease was lost meanwhile leaves the row to its new holder', async () => {
    const receiver = await receivers.start((response) => {
      void given
        .delivery(id)
        .then((row) => given.db.webhooks.claimDelivery(row, HOUR_MS))
        .then(() => response.writeHead(500).end());
    });
    const id = await given.insertDelivery(await given.insertEndpoint(receiver.url));
    expect(await deliverer().handle(id)).toBe('done');
    expect(await given.delivery(id)).toMatchObject({ status: 'pending', fence: 2, attempts: [] });
  });

  test('is retried by the plan, under the same id, and then fails; a replay begins a new round', async () => {
    const receiver = await receivers.start((response) => response.writeHead(302, { location: '/' }).end());
    const id = await given.insertDelivery(await given.insertEndpoint(receiver.url));
    const { handle } = deliverer({ pausesMs: [20, 30] });
    const waits = [];
    for (;;) {
      const handled = await waitUntil('it is due', async () => {
        const row = await given.delivery(id);
        return row.nextAttemptAt.getTime() <= Date.now() && handle(id);
      });
      waits.push(handled);
      if (handled === 'done') break;
    }
    const again = (from: number, to: number) => ({
      againAfterMs: expect.toSatisfy((ms: number) => ms >= from && ms <= to),
    });
    expect(waits).toEqual([again(20, 24), again(30, 36), 'done']);
    const { status, attempts } = await given.delivery(id);
    expect({ status, count: attempts.length }).toEqual({ status: 'failed', count: 3 });
    expect(attempts[0]).toMatchObject({ status: 302, error: expect.stringContaining('not followed') });
    expect(new Set(receiver.received.map((call) => call.id)).size).toBe(1);
    await makeDue(id);
    expect(await handle(id)).toEqual(again(20, 24));
  });

  test.each([
    [429, '30', 30_000],
    [503, 'in 40 s, as a date', 40_000],
    [503, '86400', 60_000],
    [503, '1', 5_000],
    [404, '30', 5_000],
  ])('answered %i with Retry-After %s comes again after about %i ms', async (status, header, expectedMs) => {
    const receiver = await receivers.start((response) => {
      const retryAfter = header.startsWith('in') ? new Date(Date.now() + 40_000).toUTCString() : header;
      response.writeHead(status, { 'retry-after': retryAfter }).end();
    });
    const id = await given.insertDelivery(await given.insertEndpoint(receiver.url));
    const handled = await deliverer().handle(id);
    const againAfterMs = handled === 'done' ? 0 : handled.againAfterMs;
    expect(againAfterMs).toBeGreaterThanOrEqual(expectedMs - 3_000);
    expect(againAfterMs).toBeLessThanOrEqual(expectedMs * 1.2 + 2_000);
    const { nextAttemptAt } = await given.delivery(id);
    expect(Math.abs(nextAttemptAt.getTime() - Date.now() - againAfterMs)).toBeLessThan(500);
  });

  test('to a place that may not be reached fails without a connection, and says why', async () => {
    const id = await given.insertDelivery(await given.insertEndpoint('http://10.0.0.1/'));
    await deliverer().handle(id);
    const { attempts } = await given.delivery(id);
    expect(attempts).toMatchObject([{ error: expect.stringContaining('cannot be reached') }]);
  });

  test('waits until the earlier one of its job to the same receiver is settled, and for no other', async () => {
    let status = 500;
    const receiver = await receivers.start((response) => response.writeHead(status).end());
    const endpoint = await given.insertEndpoint(receiver.url);
    const other = await given.insertEndpoint(receiver.url);
    const job = 'trn_1';
    const later = await given.insertDelivery(endpoint, { job, order: 1 });
    const earlier = await given.insertDelivery(endpoint, { job, order: 0, type: 'job.started' });
    const elsewhere = await given.insertDelivery(other, { job, order: 1 });
    const { handle } = deliverer();
    expect(await handle(later)).toEqual({ againAfterMs: 250 });
    await handle(earlier);
    const wait = await handle(later);
    expect(wait).toMatchObject({ againAfterMs: expect.toSatisfy((ms: number) => ms > 4_000 && ms <= 6_000) });
    status = 204;
    expect(await handle(elsewhere)).toBe('done');
    await makeDue(earlier);
    expect([await handle(earlier), await handle(later)]).toEqual(['done', 'done']);
    const ids = [earlier, elsewhere, earlier, later].map(async (id) => (await given.delivery(id)).event);
    expect(receiver.received.map(({ id }) => id)).toEqual(await Promise.all(ids));
  });

  test('of a deleted or disabled endpoint is cancelled; of an erased job it is nothing', async () => {
    const receiver = await receivers.start();
    const deleted = await given.insertEndpoint(receiver.url);
    const disabled = await given.insertEndpoint(receiver.url, { status: 'disabled' });
    const ids = [await given.insertDelivery(deleted), await given.insertDelivery(disabled)];
    await given.db.webhooks.deleteEndpoint(given.account, deleted);
    const erased = await given.insertDelivery(await given.insertEndpoint(receiver.url), { job: 'trn_erased' });
    await given.db.webhooks.deleteDeliveries({ job: 'trn_erased' });
    const { handle } = deliverer();
    for (const id of [...ids, erased]) expect(await handle(id)).toBe('done');
    for (const id of ids) expect((await given.delivery(id)).status).toBe('cancelled');
    expect(receiver.received).toEqual([]);
  });

  test('that a stopping process breaks off is sent again by another, and not counted as an attempt', async () => {
    const stopping = deliverer();
    const receiver = await receivers.start((response) => {
      if (receiver.received.length > 1) response.writeHead(204).end();
      else stopping.abortAll();
    });
    const id = await given.insertDelivery(await given.insertEndpoint(receiver.url));
    expect(await stopping.handle(id)).toEqual({ againAfterMs: 0 });
    expect(await deliverer().handle(id)).toBe('done');
    expect(await given.delivery(id)).toMatchObject({ status: 'delivered', attempts: [{ status: 204 }] });
  });
});

describe('an endpoint', () => {
  test('that answers 410 is disabled, and what still waits for it is cancelled', async () => {
    const receiver = await receivers.start((response) => response.writeHead(410).end());
    const endpoint = await given.insertEndpoint(receiver.url);
    const [first, second] = [await given.insertDelivery(endpoint), await given.insertDelivery(endpoint)];
    const { handle } = deliverer();
    expect([await handle(first), await handle(second)]).toEqual(['done', 'done']);
    expect(await given.endpoint(endpoint)).toMatchObject({ status: 'disabled', statusReason: expect.any(String) });
    expect([(await given.delivery(first)).status, (await given.delivery(second)).status]).toEqual([
      'failed',
      'cancelled',
    ]);
    expect(receiver.received).toHaveLength(1);
  });

  test('that keeps failing is paused and not called; its rows wait, and are delivered after it is resumed', async () => {
    let status = 500;
    const receiver = await receivers.start((response) => response.writeHead(status).end());
    const endpoint = await given.insertEndpoint(receiver.url);
    const ids = await Promise.all([1, 2, 3, 4].map(() => given.insertDelivery(endpoint)));
    const { handle } = deliverer({ pauseAfterFailures: 3, pausesMs: [1, 1, 1] });
    for (const id of ids) await handle(id);
    expect(await given.endpoint(endpoint)).toMatchObject({ status: 'paused', failuresInRow: 3 });
    expect(receiver.received).toHaveLength(3);
    await sweep();
    expect(await given.producer.knowsDelivery(ids[3] ?? '')).toBe(false);
    status = 204;
    await given.db.webhooks.updateEndpoint(given.account, endpoint, { status: 'active' });
    await sweep();
    for (const id of ids) {
      expect(await given.producer.knowsDelivery(id)).toBe(true);
      expect(await handle(id)).toBe('done');
      expect((await given.delivery(id)).status).toBe('delivered');
    }
  });

  test('is not paused by a short outage, nor by failures with successes between them', async () => {
    let calls = 0;
    const receiver = await receivers.start((response) => response.writeHead(++calls % 3 === 0 ? 204 : 500).end());
    const [steady, short] = [await given.insertEndpoint(receiver.url), await given.insertEndpoint(receiver.url)];
    const { handle } = deliverer({ pauseAfterFailures: 3 });
    for (let i = 0; i < 9; i++) await handle(await given.insertDelivery(steady));
    expect(await given.endpoint(steady)).toMatchObject({ status: 'active', failuresInRow: 0 });
    calls = Number.NEGATIVE_INFINITY;
    const patient = deliverer({ pauseAfterFailures: 3, pauseAfterMs: HOUR_MS });
    for (let i = 0; i < 5; i++) await patient.handle(await given.insertDelivery(short));
    expect(await given.endpoint(short)).toMatchObject({ status: 'active', failuresInRow: 5 });
  });

  test('that is paused gets tests, so that its owner sees whether it is back', async () => {
    const receiver = await receivers.start();
    const endpoint = await given.insertEndpoint(receiver.url, { status: 'paused' });
    await deliverer().handle(await given.insertDelivery(endpoint, { type: 'endpoint.test' }));
    expect(receiver.received).toHaveLength(1);
  });
});

describe('the search for what is due', () => {
  test('puts on the queue what it does not know, and drops rows whose time has come', async () => {
    const endpoint = await given.insertEndpoint('http://127.0.0.1/');
    const lost = await given.insertDelivery(endpoint);
    const future = new Date(Date.now() + HOUR_MS);
    const notYet = await given.insertDelivery(endpoint, { nextAttemptAt: future });
    const held = await given.insertDelivery(endpoint, { leaseUntil: future });
    const settled = await given.insertDelivery(endpoint, { status: 'delivered' });
    const old = await given.insertDelivery(endpoint, { status: 'failed', expiresAt: new Date() });
    await sweep();
    await sweep();
    const known = await Promise.all([lost, notYet, held, settled].map((id) => given.producer.knowsDelivery(id)));
    expect(known).toEqual([true, false, false, false]);
    await expect(given.delivery(old)).rejects.toThrow('no such row');
    expect((await given.delivery(settled)).status).toBe('delivered');
  });
});
