import { setTimeout as sleep } from 'node:timers/promises';
import { testLog as log, useMongo, waitUntil } from '@aigolos/testing';
import { type Connection, createConnection, type mongo } from 'mongoose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pipelineFor } from './changes.ts';
import { type Change, type Database, openDatabase, type Reaction } from './index.ts';
import { AT_ONCE } from './reactor.ts';

const server = useMongo();
/** Of the test's own watcher; all tests share a database. */
let name: string;
let db: Database;
/** A connection that knows nothing of our code. */
let shell: mongo.Db;
let connection: Connection;
let closers: (() => Promise<unknown>)[];
beforeAll(async () => {
  const url = server.newDatabaseUrl();
  db = await openDatabase(url);
  await db.prepare();
  connection = await createConnection(url).asPromise();
  if (!connection.db) throw new Error('no connection');
  shell = connection.db;
});
beforeEach(async ({ task }) => {
  closers = [];
  name = task.id;
  await jobs().deleteMany({});
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
afterAll(() => Promise.all([db.close(), connection.close()]));

const jobs = () => shell.collection<{ _id: string; status?: string; account?: string; n?: number }>('jobs');
const on = (operation: Reaction['operation'], more: Partial<Reaction> = {}): Reaction => ({
  name: `job_${operation}`,
  collection: 'jobs',
  operation,
  react: async () => {},
  ...more,
});

interface Watching {
  effects: { reaction: string; change: Change }[];
  failures: string[];
  historyLost: number;
  sweeps: number;
  stop: () => Promise<void>;
  ended: Promise<void>;
}

/** Watches, and waits until it does. */
async function watch(
  reactions: Reaction[],
  options: { fence?: number; sweep?: () => Promise<void> } = {},
): Promise<Watching> {
  const stopping = new AbortController();
  const heard = Promise.withResolvers<void>();
  const state: Omit<Watching, 'stop' | 'ended'> = { effects: [], failures: [], historyLost: 0, sweeps: 0 };
  const ended = db.watch({
    name,
    fence: options.fence ?? 1,
    reactions,
    async sweep() {
      state.sweeps += 1;
      await options.sweep?.();
    },
    observer: {
      onHeard: () => heard.resolve(),
      onHistoryLost: () => {
        state.historyLost += 1;
      },
      onEffect: ({ name }, change) => void state.effects.push({ reaction: name, change }),
      onFailure: (_, { id }) => void state.failures.push(id),
    },
    signal: stopping.signal,
    log,
  });
  ended.catch(() => {});
  const stop = async () => {
    stopping.abort();
    await ended.catch(() => {});
  };
  closers.push(stop);
  await Promise.race([heard.promise, ended]);
  return Object.assign(state, { stop, ended });
}

const seen = ({ effects }: Watching) => effects.map(({ reaction, change }) => `${reaction} ${change.id}`);
const untilSeen = (watching: Watching, what: string) => waitUntil(what, () => seen(watching).includes(what));

describe('changes', () => {
  test('made in a database shell are told, with those fields that a reaction asks for', async () => {
    const watching = await watch([
      on('insert', { fields: ['account'] }),
      on('update', { fields: ['status'] }),
      on('delete'),
    ]);
    await jobs().insertOne({ _id: 'a', account: 'acc_1', status: 'queued', n: 1 });
    await jobs().updateOne({ _id: 'a' }, { $set: { status: 'completed', n: 2 } });
    await jobs().replaceOne({ _id: 'a' }, { account: 'acc_1', status: 'failed' });
    await jobs().deleteMany({});
    await untilSeen(watching, 'job_delete a');
    expect(watching.effects.map(({ change }) => [change.operation, change.fields])).toEqual([
      ['insert', { account: 'acc_1', status: 'queued' }],
      ['update', { status: 'completed' }],
      ['update', { account: 'acc_1', status: 'failed' }],
      ['delete', {}],
    ]);
  });

  test('that no reaction waits for do not leave the server', async () => {
    const stream = shell.watch(pipelineFor([on('update', { fields: ['status'] })]), { maxAwaitTimeMS: 100 });
    closers.push(() => stream.close());
    await stream.tryNext();
    await jobs().insertOne({ _id: 'a', status: 'queued', n: 0 });
    for (let n = 1; n <= 20; n += 1) await jobs().updateOne({ _id: 'a' }, { $set: { n } });
    await jobs().updateOne({ _id: 'a' }, { $set: { status: 'completed' } });
    expect(await stream.next()).toMatchObject({ updateDescription: { updatedFields: { status: 'completed' } } });
    expect(await stream.tryNext()).toBeNull();
  });

  test('made while nobody watched are told to the next watcher', async () => {
    const first = await watch([on('insert')]);
    await jobs().insertOne({ _id: 'a' });
    await untilSeen(first, 'job_insert a');
    await first.stop();
    await jobs().insertMany([{ _id: 'b' }, { _id: 'c' }]);
    const second = await watch([on('insert')]);
    await untilSeen(second, 'job_insert c');
    expect(seen(second)).toEqual(['job_insert b', 'job_insert c']);
    expect([first.sweeps, second.sweeps]).toEqual([1, 0]);
  });
});

describe('reactions', () => {
  test('to one record come in order, those to others side by side, so many at once', async () => {
    const running = new Set<string>();
    let most = 0;
    let mixed = false;
    const full = Promise.withResolvers<void>();
    const watching = await watch([
      on('update', {
        fields: ['n'],
        async react({ id, fields }) {
          mixed ||= running.has(id);
          running.add(id);
          most = Math.max(most, running.size);
          if (running.size === AT_ONCE) full.resolve();
          if (fields.n === 1) await full.promise;
          await sleep(6 - Number(fields.n));
          running.delete(id);
        },
      }),
    ]);
    const ids = Array.from({ length: AT_ONCE + 8 }, (_, index) => `job_${index}`);
    await jobs().insertMany(ids.map((_id) => ({ _id, n: 0 })));
    const steps = [1, 2, 3, 4, 5];
    const update = (_id: string) => steps.map((n) => ({ updateOne: { filter: { _id }, update: { $set: { n } } } }));
    await jobs().bulkWrite(ids.flatMap(update));
    await waitUntil('all were reacted to', () => watching.effects.length === ids.length * steps.length);
    for (const id of ids) {
      const order = watching.effects.filter(({ change }) => change.id === id).map(({ change }) => change.fields.n);
      expect(order).toEqual(steps);
    }
    expect({ mixed, most }).toEqual({ mixed: false, most: AT_ONCE });
  });

  test('that fail are tried again and hold up their own record alone; until then the place stays before them', async () => {
    let failing = true;
    const react = async ({ id }: Change) => {
      if (failing && id === 'bad') throw new Error('told to fail');
    };
    const reactions = [on('insert', { react }), on('delete', { react })];
    const first = await watch(reactions);
    await jobs().insertMany([{ _id: 'bad' }, { _id: 'good' }]);
    await jobs().deleteMany({});
    await waitUntil('it was tried twice', () => first.failures.length >= 2);
    await untilSeen(first, 'job_delete good');
    expect(seen(first)).toEqual(['job_insert good', 'job_delete good']);
    await first.stop();
    failing = false;
    const second = await watch(reactions);
    await untilSeen(second, 'job_delete bad');
    expect(seen(second).filter((what) => what.endsWith('bad'))).toEqual(['job_insert bad', 'job_delete bad']);
  });

  test('that one change sets in motion do not wait for each other', async () => {
    const watching = await watch([
      on('insert', { name: 'broken', react: () => Promise.reject(new Error('told to fail')) }),
      on('insert', { name: 'sound' }),
    ]);
    await jobs().insertOne({ _id: 'a' });
    await untilSeen(watching, 'sound a');
  });
});

describe('a watcher', () => {
  test('is shut out by one with a higher fence, and leaves the place as it is', async () => {
    const old = await watch([on('insert')], { fence: 1 });
    const newer = await watch([on('insert')], { fence: 2 });
    await jobs().insertOne({ _id: 'a' });
    await expect(old.ended).rejects.toThrow('A newer leader watches');
    await untilSeen(newer, 'job_insert a');
    await newer.stop();
    const place = () => shell.collection<{ _id: string }>('watchers').findOne({ _id: name });
    const before = await place();
    const late = await watch([on('insert')], { fence: 1 }).catch((error: unknown) => error);
    expect(late).toMatchObject({ name: 'FencedOffError' });
    expect(await place()).toEqual(before);
    expect(before).toMatchObject({ fence: 2 });
  });

  test('without a place sweeps; where it does not come to the end of that, the next one does, and no change is missed', async () => {
    const hanging = Promise.withResolvers<void>();
    const first = await watch([on('insert')], { sweep: () => hanging.promise });
    await jobs().insertOne({ _id: 'a' });
    await untilSeen(first, 'job_insert a');
    const stopped = first.stop();
    hanging.reject(new Error('interrupted'));
    await stopped;
    await jobs().insertOne({ _id: 'b' });
    const second = await watch([on('insert')]);
    await untilSeen(second, 'job_insert b');
    await waitUntil('it is written down that it swept', async () => {
      const place = await shell.collection<{ _id: string; sweepDue?: boolean }>('watchers').findOne({ _id: name });
      return place?.sweepDue === undefined;
    });
    await second.stop();
    const third = await watch([on('insert')]);
    expect([first.sweeps, second.sweeps, third.sweeps]).toEqual([1, 1, 0]);
  });

  test('whose place is of another server sweeps until that succeeds, and begins at now', async () => {
    await shell
      .collection<{ _id: string }>('watchers')
      .insertOne({ _id: name, fence: 1, resumeToken: { _data: 'not of this server' } } as never);
    let failures = 1;
    const sweep = async () => {
      if (failures-- > 0) throw new Error('told to fail');
    };
    const watching = await watch([on('insert')], { sweep });
    await jobs().insertOne({ _id: 'a' });
    await untilSeen(watching, 'job_insert a');
    await waitUntil('the second sweep', () => watching.sweeps === 2);
    expect(watching.historyLost).toBe(1);
  });
});

test('changes are told when the database was dropped and made anew', async () => {
  const watching = await watch([on('insert')]);
  await shell.dropDatabase();
  await db.prepare();
  await waitUntil('a change is told', async () => {
    await jobs().insertOne({ _id: `a${Date.now()}` });
    return watching.effects.length > 0;
  });
});
