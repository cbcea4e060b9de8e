import { randomUUID } from 'node:crypto';
import { newId } from '@aigolos/contracts';
import { type Database, newJobRecord, openDatabase, type WebhookEndpointRecord } from '@aigolos/db';
import { createProducer, type Producer } from '@aigolos/queue';
import { testLog as log, useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { announceJobEnds, announceJobStarts, announcePending, announceTest } from './webhooks.ts';

const redis = useRedis();
const mongo = useMongo();
const ACCOUNT = 'acc_1';
let db: Database;
let producer: Producer;
beforeEach(async () => {
  db = await openDatabase(mongo.newDatabaseUrl());
  await db.prepare();
  producer = await createProducer({ REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` }, log);
});
afterEach(async () => {
  await producer.close();
  await db.close();
});

async function endpoint(fields: Partial<WebhookEndpointRecord> = {}): Promise<WebhookEndpointRecord> {
  const now = new Date();
  const record: WebhookEndpointRecord = {
    _id: newId('webhookEndpoint'),
    account: ACCOUNT,
    url: 'https://receiver.example/hook',
    events: ['job.completed', 'job.failed'],
    description: '',
    status: 'active',
    secrets: { current: 'whsec_c2VjcmV0' },
    failuresInRow: 0,
    createdAt: now,
    updatedAt: now,
    ...fields,
  };
  await db.webhooks.insertEndpoint(record);
  return record;
}

/** A job that a worker has finished; what is to be told of it is pending. */
async function endedJob({
  finishedAt = new Date(),
  status = 'completed',
  ...fields
}: {
  status?: 'completed' | 'failed';
  webhookUrl?: string;
  finishedAt?: Date;
} = {}): Promise<string> {
  const task = { model: 'test', messages: [{ role: 'user' as const, content: 'hi' }], stop: [] };
  const record = newJobRecord({ _id: newId('chat'), kind: 'chat', account: ACCOUNT, task, ...fields });
  await db.jobs.insert(record);
  const claim = await db.jobs.claim(record._id, { worker: 'test', leaseMs: 10_000 });
  if (claim.outcome !== 'claimed') throw new Error(claim.outcome);
  await db.jobs.finish(record._id, claim.job.fence, { status, finishedAt });
  return record._id;
}

const deps = () => ({ db, producer, log });
const deliveries = () => db.webhooks.listDeliveries({ account: ACCOUNT, limit: 100 });
const pending = () => db.jobs.webhooksPending(new Date(Date.now() + 1_000), 10);

test('an end is told once to each endpoint that asked for it, however often it is announced', async () => {
  const active = await endpoint();
  const paused = await endpoint({ status: 'paused' });
  await endpoint({ status: 'disabled' });
  await endpoint({ events: ['job.failed'] });
  await endpoint({ account: 'acc_2' });
  const id = await endedJob();
  expect(await pending()).toEqual([id]);
  await Promise.all([announceJobEnds(deps(), [id]), announceJobEnds(deps(), [id])]);
  await announceJobEnds(deps(), [id]);
  const rows = await deliveries();
  expect(rows).toHaveLength(2);
  expect(rows.map((row) => row.endpoint)).toEqual(expect.arrayContaining([active._id, paused._id]));
  expect(rows.map(({ event }) => event)).toEqual([`evt_${id}_completed`, `evt_${id}_completed`]);
  expect(await producer.queues.webhooks.getJob(rows[0]?._id ?? '')).toBeDefined();
  expect(await pending()).toEqual([]);
});

test('the body says what happened to which job, and nothing of what was said', async () => {
  await endpoint();
  const id = await endedJob();
  await announceJobEnds(deps(), [id]);
  const [row] = await deliveries();
  expect(JSON.parse(row?.body ?? '')).toEqual({
    id: `evt_${id}_completed`,
    object: 'event',
    type: 'job.completed',
    created_at: expect.any(Number),
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: { id, kind: 'chat', status: 'completed' },
  });
});

test("a job's own URL is told too", async () => {
  const id = await endedJob({ webhookUrl: 'https://mine.example/' });
  await announceJobEnds(deps(), [id]);
  expect(await deliveries()).toMatchObject([{ url: 'https://mine.example/', job: id, order: 1 }]);
});

test('a start is told to those who asked for it by name, before the end', async () => {
  const both = await endpoint({ events: ['job.started', 'job.completed'] });
  await endpoint();
  const id = await endedJob();
  await announceJobStarts(deps(), [id]);
  await announceJobEnds(deps(), [id]);
  const rows = (await deliveries()).filter((row) => row.endpoint === both._id);
  expect(rows.toSorted((a, b) => a.order - b.order).map(({ type }) => type)).toEqual(['job.started', 'job.completed']);
});

test('ends that nobody reacted to are found; an erased job tells nobody', async () => {
  await endpoint();
  const [missed, erased] = [await endedJob({ finishedAt: new Date(Date.now() - 60_000) }), await endedJob()];
  // The newest are left to the reaction.
  expect(await announcePending(deps(), new AbortController().signal)).toBe(1);
  expect(await deliveries()).toMatchObject([{ job: missed }]);
  await db.jobs.deleteFinal(ACCOUNT, erased);
  await announceJobEnds(deps(), [erased]);
  expect(await deliveries()).toHaveLength(1);
});

test('a job that an operator sent back after its end tells its next end, too, under an id of its own', async () => {
  await endpoint();
  const id = await endedJob({ status: 'failed' });
  await announceJobEnds(deps(), [id]);
  const first = await db.jobs.find(id);
  expect(await db.jobs.requeueEnded(id, first?.fence ?? 0)).toBe(true);
  const claim = await db.jobs.claim(id, { worker: 'test', leaseMs: 10_000 });
  if (claim.outcome !== 'claimed') throw new Error(claim.outcome);
  await db.jobs.finish(id, claim.job.fence, { status: 'failed', finishedAt: new Date() });
  expect(await pending()).toEqual([id]);
  await announceJobEnds(deps(), [id]);
  const events = (await deliveries()).map(({ event }) => event);
  expect(events.toSorted()).toEqual([`evt_${id}_failed`, `evt_${id}_failed_2`]);
});

test('a test event goes to its endpoint alone', async () => {
  const tested = await endpoint();
  await endpoint();
  const row = await announceTest(deps(), tested);
  expect(await deliveries()).toMatchObject([{ _id: row._id, endpoint: tested._id, type: 'endpoint.test' }]);
});
