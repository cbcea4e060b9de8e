import { JOB_CATALOGUE, type JobKind } from '@aigolos/contracts';
import type { AnyJobRecord } from '@aigolos/db';
import { type DatabaseShell, testLog as log, openDatabaseShell, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EarlierRelease, earlierRelease } from '../test/earlier-release.ts';
import { ACCOUNT, createHarness, type Harness } from '../test/harness.ts';
import type { Processor } from './processor.ts';
import { retryJob } from './retry.ts';

const redis = useRedis();
const mongo = useMongo();
const { signal } = new AbortController();
let house: Harness;
let shell: DatabaseShell;
beforeEach(async () => {
  const url = mongo.newDatabaseUrl();
  house = await createHarness(redis, { newDatabaseUrl: () => url });
  shell = openDatabaseShell(url);
});
afterEach(async () => {
  await shell.close();
  await house.close();
});

const answer: Processor<'chat'> = async () => ({
  result: { text: 'hello', finishReason: 'stop' },
  usage: { completionTokens: 1 },
  warnings: [],
});
const find = async (id: string) => (await house.db.jobs.find(id)) as AnyJobRecord & Record<string, unknown>;
const ended = (id: string) =>
  waitUntil('it has ended', async () => ((await find(id)).finishedAt ? await find(id) : undefined));

describe('what the release before wrote', () => {
  let before: EarlierRelease;
  beforeEach(async () => {
    before = await earlierRelease();
    await shell.run('jobs', 'insertMany', before.jobs);
    await shell.run('conversations', 'insertMany', before.conversations);
  });

  async function enqueueAsBefore(name: keyof EarlierRelease['names']): Promise<string> {
    const { queue, hash } = before.queue[name] ?? {};
    if (!queue || !hash) throw new Error(`${name} stood on no queue`);
    await house.producer.queues[queue].add(hash.name, JSON.parse(hash.data), JSON.parse(hash.opts));
    return before.names[name];
  }

  test('is a task, and a result, as they are promised now', () => {
    for (const { kind, task, result } of before.jobs) {
      const promised = JOB_CATALOGUE[kind as JobKind];
      expect(promised.task.parse(task)).toEqual(task);
      expect(promised.result.optional().parse(result)).toEqual(result);
    }
  });

  test('queued is finished by its own entry in the queue, with what it asked for', async () => {
    const id = await enqueueAsBefore('chatQueued');
    house.startWorker(answer);
    expect(await ended(id)).toMatchObject({
      status: 'completed',
      result: { text: 'hello' },
      metadata: { order: '7' },
      webhookUrl: 'https://example.org/hook',
      attempts: [{ fence: 1, outcome: 'completed' }],
    });
  });

  test('queued comes back to a queue that lost it, whatever its kind', async () => {
    const { names } = before;
    await house.reconciler.sweep(signal);
    for (const name of ['chat', 'speech', 'transcription', 'export', 'erasure'] as const) {
      expect(await house.producer.knows({ id: names[`${name}Queued`], kind: name })).toBe(true);
    }
  });

  test('in progress goes on when its lease has run out, and its conversation gets its messages once', async () => {
    const id = await enqueueAsBefore('turnInProgress');
    house.startWorker(answer);
    const { conversation, ...job } = await ended(id);
    expect(job).toMatchObject({ status: 'completed', fence: 2, attempt: 2, crashes: 1 });
    const said = async () =>
      (await house.db.conversations.lastMessages(String(conversation), 9)).map(({ content }) => content);
    await waitUntil('its messages are written', async () => (await said()).length > 1);
    expect(await said()).toEqual(['hi', 'hello']);
  });

  test('in progress with a checkpoint keeps it for who goes on', async () => {
    const id = before.names.transcriptionInProgress;
    const { checkpoint } = await find(id);
    await house.reconciler.sweep(signal);
    expect(await find(id)).toMatchObject({ status: 'queued', crashes: 1, checkpoint });
    const claim = await house.db.jobs.claim(id, { worker: 'new', leaseMs: 1_000 });
    expect(claim).toMatchObject({ outcome: 'claimed', job: { fence: 2, checkpoint, progress: 0.5 } });
  });

  test('answered without its messages gets them', async () => {
    await house.reconciler.sweep(signal);
    const { conversation, messagesPending } = await find(before.names.messagesPending);
    expect(messagesPending).toBeUndefined();
    expect(await house.db.conversations.lastMessages(String(conversation), 9)).toMatchObject([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'hello' },
    ]);
  });

  test('ended stays as it is, and what failed can be sent back', async () => {
    const { cancelled, failed } = before.names;
    await house.reconciler.sweep(signal);
    expect(await find(cancelled)).toMatchObject({ status: 'cancelled', fence: 0 });
    await house.db.jobs.clearWebhooksPending([failed]);
    const { db, producer, cache } = house;
    const live = { remove: async () => {} };
    await retryJob({ db, producer, cache, live, log }, failed);
    house.startWorker(answer);
    expect(await ended(failed)).toMatchObject({ status: 'completed', attempt: 1, retries: 1 });
  });
});

describe('what the next release wrote', () => {
  const FROM_LATER = {
    laterField: { kept: [1, 'two'] },
    'task.laterOption': 'on',
    checkpoint: { version: 99, laterState: { kept: true } },
  };
  const fromLater = { laterField: { kept: [1, 'two'] }, task: { laterOption: 'on', model: 'test' } };

  async function insertLater(fields: Record<string, unknown> = {}): Promise<string> {
    const job = await house.submitChat();
    await house.producer.remove({ id: job._id, kind: 'chat' });
    await shell.run('jobs', 'updateOne', { _id: job._id }, { $set: { ...FROM_LATER, ...fields } });
    return job._id;
  }
  const enqueue = (id: string, name = 'chat') =>
    house.producer.queues.llm.add(name, { v: 99, jobId: id, later: { kept: true } } as never, { jobId: id });

  test('in fields that are not known here survives a claim, a renewal, a release, a retry and the end', async () => {
    const { jobs } = house.db;
    const by = { worker: 'today', leaseMs: 1_000 };
    const id = await insertLater();
    expect(await jobs.claim(id, by)).toMatchObject({ outcome: 'claimed', job: { fence: 1, ...fromLater } });
    await jobs.renew(id, 1, { leaseMs: 1_000, progress: 0.5 });
    expect(await find(id)).toMatchObject({ ...fromLater, checkpoint: { version: 99 } });
    await jobs.release(id, 1, { outcome: 'drained' });
    expect(await find(id)).toMatchObject({
      status: 'queued',
      ...fromLater,
      checkpoint: { laterState: { kept: true } },
    });
    await jobs.claim(id, { worker: 'today', leaseMs: 1 });
    await waitUntil('its lease has run out', () => jobs.releaseExpired(id, 2));
    await jobs.claim(id, by);
    await jobs.finish(id, 3, {
      status: 'failed',
      finishedAt: new Date(),
      failure: { code: 'INTERNAL', message: 'no' },
    });
    await jobs.clearWebhooksPending([id]);
    expect(await find(id)).toMatchObject({ status: 'failed', ...fromLater });
    expect(await jobs.requeueEnded(id, 3)).toBe(true);
    expect(await find(id)).toMatchObject({ status: 'queued', ...fromLater });
    await jobs.requestCancel(ACCOUNT, id, {});
    expect(await find(id)).toMatchObject({ status: 'cancelled', ...fromLater });
  });

  test('in fields, a priority and a queue entry that are not known here is finished all the same', async () => {
    const id = await insertLater({ priority: 'urgent' });
    await enqueue(id);
    house.startWorker(answer);
    expect(await ended(id)).toMatchObject({ status: 'completed', priority: 'urgent', ...fromLater });
    const forgotten = await insertLater({ priority: 'urgent', queuedAt: new Date(0) });
    await house.reconciler.sweep(signal);
    expect(await ended(forgotten)).toMatchObject({ status: 'completed' });
  });

  test.each([{ kind: 'dubbing' }, { kind: 'dubbing', deadlineAt: new Date(0) }, { status: 'paused' }])(
    'as %o is left to it, and what comes behind it is done',
    async (foreign) => {
      const id = await insertLater({
        ...foreign,
        queuedAt: new Date(0),
        leaseUntil: new Date(0),
      });
      const before = await find(id);
      await enqueue(id, 'kind' in foreign ? foreign.kind : 'chat');
      const abandoned = await house.submitChat();
      await house.producer.remove({ id: abandoned._id, kind: 'chat' });
      await shell.run('jobs', 'updateOne', { _id: abandoned._id }, { $set: { queuedAt: new Date(0) } });
      house.startWorker(answer);
      await house.reconciler.sweep(signal);
      expect(await ended(abandoned._id)).toMatchObject({ status: 'completed' });
      await waitUntil('it is kept for later', async () => (await house.producer.queues.llm.getDelayedCount()) === 1);
      expect(await find(id)).toEqual(before);
      const { jobs } = await house.jobs.list({ account: ACCOUNT, limit: 9 });
      expect(jobs.map(({ _id }) => _id)).toContain(id);
      expect(await house.jobs.poll(ACCOUNT, id)).toMatchObject({ kind: before.kind, status: before.status });
    },
  );

  test('in a kind that is not known here can be cancelled by its owner', async () => {
    const id = await insertLater({ kind: 'dubbing' });
    expect(await house.jobs.cancel(ACCOUNT, id)).toMatchObject({ status: 'cancelled', ...fromLater });
  });
});
