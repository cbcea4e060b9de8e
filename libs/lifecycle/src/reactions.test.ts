import { JOB_KINDS, type JobKind, newId } from '@aigolos/contracts';
import { newJobRecord } from '@aigolos/db';
import { type DatabaseShell, openDatabaseShell, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createReactions } from './index.ts';
import { openTestInstallation, type TestInstallation } from './installation.fake.ts';

const redis = useRedis();
const mongo = useMongo();
const stopping = new AbortController();
let at: TestInstallation;
/** All changes are made by somebody who knows nothing of our code. */
let shell: DatabaseShell;
let watching: Promise<void>;
const dropped = new Set<string>();
const effectsOf = new Map<string, number>();
beforeAll(async () => {
  const url = mongo.newDatabaseUrl();
  at = await openTestInstallation(redis, { newDatabaseUrl: () => url });
  shell = openDatabaseShell(url);
  const cache = {
    invalidate: async (...scopes: string[]) => {
      for (const scope of scopes) dropped.add(scope);
    },
  };
  const heard = Promise.withResolvers<void>();
  watching = at.db.watch({
    name: 'test',
    fence: 1,
    reactions: createReactions({ ...at, cache }),
    sweep: () => Promise.resolve(),
    observer: {
      onHeard: () => heard.resolve(),
      onHistoryLost: () => {},
      onEffect: ({ name }) => void effectsOf.set(name, (effectsOf.get(name) ?? 0) + 1),
      onFailure: () => {},
    },
    signal: stopping.signal,
    log: at.log,
  });
  await heard.promise;
});
afterAll(async () => {
  stopping.abort();
  await watching;
  await Promise.all([shell.close(), at.close()]);
});

const TIMES = 6;
const latenciesMs: number[] = [];
/** Makes changes at once and awaits what each of them sets in motion, with the time from the change to its effect. */
async function expectEffects(
  change: (n: number) => Promise<{ effect: () => Promise<boolean> | boolean }>,
): Promise<void> {
  await Promise.all(
    Array.from({ length: TIMES }, async (_, n) => {
      const { effect } = await change(n);
      const began = Date.now();
      await waitUntil('the effect', effect);
      latenciesMs.push(Date.now() - began);
    }),
  );
}

const fileOf = (id: string) => at.blobs.exists(`${id}/input`);
const newJob = (kind: JobKind, fields: object = {}) =>
  newJobRecord({ _id: newId(kind), kind, account: at.account, status: 'completed', task: {}, ...fields });

/** A turn of a new conversation, with its messages and a job that has a file. */
async function newConversation(account = at.account): Promise<{ conversation: string; job: string }> {
  const { _id: conversation } = await at.db.conversations.create(account);
  const job = await at.insertJob({ account, conversation, turn: 0 });
  await at.storeBlob(`${job}/input`);
  const messages = [{ role: 'user' as const, content: 'hi' }];
  await at.db.conversations.appendTurn({ conversation, account, job, messages, at: new Date(0) });
  return { conversation, job };
}
const isGone = async ({ conversation, job }: { conversation: string; job: string }) => {
  const messages = await at.db.conversations.lastMessages(conversation, 1);
  return messages.length === 0 && (await at.db.jobs.existing([job])).size === 0 && !(await fileOf(job));
};

describe('changes made in a database shell', () => {
  test('a created transcription: the lists of its account are read anew', () =>
    expectEffects(async (n) => {
      await shell.run('jobs', 'insertOne', newJob('transcription', { account: `acc_${n}` }));
      return { effect: () => dropped.has(`jobs-of:acc_${n}`) };
    }));

  test('a job that changes its state: it and the lists of its account are read anew', () =>
    expectEffects(async (n) => {
      const id = await at.insertJob({ account: `acc_updated_${n}`, status: 'queued' });
      await waitUntil('its insert was reacted to', () => dropped.delete(`jobs-of:acc_updated_${n}`));
      await shell.run('jobs', 'updateOne', { _id: id }, { $set: { status: 'failed' } });
      return { effect: () => dropped.has(`job:${id}`) && dropped.has(`jobs-of:acc_updated_${n}`) };
    }));

  test('a job that begins and one that ends: who asked for that is told', () =>
    expectEffects(async (n) => {
      const account = `acc_told_${n}`;
      const now = new Date();
      await at.db.webhooks.insertEndpoint({
        _id: newId('webhookEndpoint'),
        account,
        url: 'https://receiver.example/',
        events: ['job.started', 'job.failed'],
        description: '',
        status: 'active',
        secrets: { current: 'whsec_c2VjcmV0' },
        failuresInRow: 0,
        createdAt: now,
        updatedAt: now,
      });
      const id = await at.insertJob({ account, status: 'queued' });
      await shell.run('jobs', 'updateOne', { _id: id }, { $set: { status: 'in_progress', startedAt: now } });
      await shell.run('jobs', 'updateOne', { _id: id }, { $set: { status: 'failed', webhooksPending: true } });
      return {
        async effect() {
          const told = await at.db.webhooks.listDeliveries({ account, limit: 10 });
          return (
            told
              .map(({ type }) => type)
              .toSorted()
              .join(' ') === 'job.failed job.started'
          );
        },
      };
    }));

  test('a job whose input is to live no longer than its end: the input is gone, its output stays', () =>
    expectEffects(async () => {
      const id = await at.insertJob({ status: 'in_progress' });
      for (const key of [`${id}/input`, `${id}/output-1.wav`]) await at.storeBlob(key);
      const [finishedAt, later] = [new Date(), new Date(Date.now() + 60_000)];
      const due = { inputExpiresAt: finishedAt, filesExpireAt: finishedAt, outputExpiresAt: later };
      await shell.run('jobs', 'updateOne', { _id: id }, { $set: { status: 'completed', finishedAt, ...due } });
      return {
        async effect() {
          expect(await at.blobs.exists(`${id}/output-1.wav`)).toBe(true);
          return !(await fileOf(id));
        },
      };
    }));

  test('a speech that ends: what it kept to go on from, and what none of its results is, is gone', () =>
    expectEffects(async (n) => {
      const task = { model: 'test', voice: 'v', input: 'hi', format: 'mp3', speed: 1 } as const;
      const id = await at.insertJob({ kind: 'speech', task, status: 'in_progress' });
      const [part, output] = [`${id}/part-1-0.s16le`, `${id}/output-1.mp3`];
      for (const key of [part, output]) await at.storeBlob(key);
      const hasCompleted = n % 2 === 1;
      const end = hasCompleted ? { status: 'completed', result: { blobKey: output } } : { status: 'failed' };
      await shell.run('jobs', 'updateOne', { _id: id }, { $set: end });
      return {
        async effect() {
          if (hasCompleted) expect(await at.blobs.exists(output)).toBe(true);
          return !(await at.blobs.exists(part)) && (hasCompleted || !(await at.blobs.exists(output)));
        },
      };
    }));

  test('a job that has ended when it is submitted: who asked for that is told, and its input goes if it is due', () =>
    expectEffects(async (n) => {
      const account = `acc_at_once_${n}`;
      const now = new Date();
      const due = { inputExpiresAt: now, filesExpireAt: now };
      const told = { webhooksPending: true, webhookUrl: 'https://receiver.example/', finishedAt: now };
      const job = newJob('transcription', { account, ...due, ...told });
      await at.storeBlob(`${job._id}/input`);
      await shell.run('jobs', 'insertOne', job);
      return {
        async effect() {
          const deliveries = await at.db.webhooks.listDeliveries({ account, limit: 10 });
          return deliveries.map(({ type }) => type).join(' ') === 'job.completed' && !(await fileOf(job._id));
        },
      };
    }));

  test('an updated conversation: it is read anew', () =>
    expectEffects(async () => {
      const { _id } = await at.db.conversations.create(at.account);
      await shell.run('conversations', 'updateOne', { _id }, { $set: { nextTurn: 7 } });
      return { effect: () => dropped.has(`conversation:${_id}`) };
    }));

  test('a created message: its conversation moves forward, never back, and is read anew', () =>
    expectEffects(async (n) => {
      const { _id: conversation } = await at.db.conversations.create(at.account);
      const message = { conversation, account: at.account, role: 'user', content: 'hi', job: 'cht_1' };
      const later = { ...message, _id: `msg_a${n}`, seq: 5, createdAt: new Date(Date.now() + 5_000) };
      const earlier = { ...message, _id: `msg_b${n}`, seq: 4, createdAt: new Date(Date.now() + 4_000) };
      await shell.run('messages', 'insertMany', [later, earlier]);
      return {
        async effect() {
          const found = await at.db.conversations.findOwned(at.account, conversation);
          expect([0, 5, 6]).toContain(found?.messageCount);
          const isAt = found?.messageCount === 6 && found.updatedAt.getTime() === later.createdAt.getTime();
          return isAt && dropped.has(`conversation:${conversation}`);
        },
      };
    }));

  test.each(JOB_KINDS)(
    'a deleted %s: its files, its place on the queue, its live stream and every list with it are gone',
    (kind) =>
      expectEffects(async () => {
        const job = newJob(kind);
        const { _id: id } = job;
        await shell.run('jobs', 'insertOne', job);
        const kept = `${id.slice(0, -1)}_`;
        for (const key of [`${id}/input`, `${id}/output-1.wav`, `${kept}/input`]) await at.storeBlob(key);
        await at.producer.add({ id, kind, account: 'acc_1' });
        await at.live.publish(id, { type: 'delta', fence: 1, text: 'hi' });
        dropped.delete('all-lists');
        await shell.run('jobs', 'deleteOne', { _id: id });
        return {
          async effect() {
            const files = await Array.fromAsync(at.blobs.list(id));
            const { value: told } = await at.live.watch(id, { idleMs: 1, signal: AbortSignal.timeout(1_000) }).next();
            const isQueued = await at.producer.knows({ id, kind });
            expect(await fileOf(kept)).toBe(true);
            return files.length === 0 && told === undefined && !isQueued && dropped.has('all-lists');
          },
        };
      }),
  );

  test('a deleted conversation: its messages, its jobs and their files are gone', () =>
    expectEffects(async () => {
      const conversation = await newConversation();
      await shell.run('conversations', 'deleteOne', { _id: conversation.conversation });
      return { effect: () => isGone(conversation) };
    }));

  test.each([
    ['file', 'files'],
    ['upload', 'uploads'],
  ] as const)('a deleted %s: its bytes are gone', (kind, collection) =>
    expectEffects(async () => {
      const id = newId(kind);
      await at.storeBlob(`${id}/content`);
      await shell.run(collection, 'insertOne', { _id: id, account: at.account, createdAt: new Date() });
      await shell.run(collection, 'deleteOne', { _id: id });
      return { effect: async () => !(await at.blobs.exists(`${id}/content`)) };
    }),
  );

  test('a deleted account: all that it had is gone', () =>
    expectEffects(async (n) => {
      const { _id: account } = await at.db.access.ensureAccount(`person_${n}`);
      await at.db.access.createKey({ account, role: 'user', label: 'test' });
      const conversation = await newConversation(account);
      await shell.run('accounts', 'deleteOne', { _id: account });
      return {
        effect: async () => (await isGone(conversation)) && (await at.db.access.keyIds(account)).length === 0,
      };
    }));

  test('have their effects within five seconds (p95)', () => {
    const p95 = latenciesMs.toSorted((a, b) => a - b)[Math.floor(latenciesMs.length * 0.95)];
    expect(latenciesMs.length).toBeGreaterThanOrEqual(60);
    expect(p95).toBeLessThan(5_000);
  });

  test('move every reaction that there is', async () => {
    const names = createReactions({ ...at, cache: { invalidate: () => Promise.resolve() } }).map(({ name }) => name);
    // An effect shows a moment before its reaction is over.
    await waitUntil('the last one is over', () => effectsOf.size === names.length);
    expect([...effectsOf.keys()].toSorted()).toEqual(names.toSorted());
  });
});
