import { CLEANUP_KINDS, ID_PREFIXES, type JobKind } from '@aigolos/contracts';
import { type AnyJobRecord, type ConversationRecord, newJobRecord } from '@aigolos/db';
import { useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type CleanupItem, cleanUp, countCleanup, planCleanup } from './cleanup.ts';
import { openTestInstallation, type TestInstallation } from './installation.fake.ts';
import type { RemovalDeps } from './removal.ts';

const redis = useRedis();
const mongo = useMongo();
const never = new AbortController().signal;

const DAY_MS = 24 * 60 * 60_000;
const NOW = Date.now();
const daysAgo = (days: number) => new Date(NOW - days * DAY_MS);
const everything = { before: daysAgo(90), kinds: CLEANUP_KINDS };

const houses: TestInstallation[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house.close();
});

/**
 * An installation with, of each kind of job, some that are old and some that are not, of two accounts, those that wait and run,
 * and conversations old, young and busy. Two of them hold the same.
 */
async function oneInstallation(each = 4): Promise<TestInstallation> {
  const { jobs, conversations } = contents(each);
  const house = await openTestInstallation(redis, mongo);
  houses.push(house);
  await house.db.transfer.insert('job', jobs);
  await house.db.transfer.insert('conversation', conversations);
  const messages = [{ role: 'user' as const, content: 'hi' }];
  for (const { _id: conversation, account } of conversations) {
    const job = `cht_turn-${conversation.slice('conv_'.length)}`;
    await house.db.conversations.appendTurn({ conversation, account, job, messages, at: new Date() });
  }
  for (const { _id, kind } of jobs) {
    if (kind === 'transcription' || kind === 'translation' || kind === 'export')
      await house.storeBlob(`${_id}/input`, `${_id} was heard`);
    if (kind === 'speech') for (const fence of [1, 2]) await house.storeBlob(`${_id}/output-${fence}.mp3`);
  }
  return house;
}

/** @returns records, and the ids of those that are old and at rest. */
function contents(each: number): { jobs: AnyJobRecord[]; conversations: ConversationRecord[]; old: string[] } {
  const jobs: AnyJobRecord[] = [];
  const conversations: ConversationRecord[] = [];
  const old: string[] = [];
  const add = (kind: JobKind, name: string, fields: Partial<AnyJobRecord>) => {
    const _id = `${ID_PREFIXES[kind]}_${name}`;
    const account = name.endsWith('1') ? 'acc_2' : 'acc_1';
    const submitted = { _id, kind, account, task: TASKS[kind], status: 'completed', ...fields };
    jobs.push(newJobRecord(submitted as never) as AnyJobRecord);
    return _id;
  };
  for (const kind of ['transcription', 'translation', 'speech', 'chat', 'export', 'erasure'] as const) {
    for (let index = 0; index < each; index += 1) {
      const fields = { createdAt: daysAgo(200 - index), finishedAt: daysAgo(100 + index) };
      const id = add(kind, `old${index}`, fields);
      if (kind !== 'erasure') old.push(id);
    }
    add(kind, 'young', { createdAt: daysAgo(200), finishedAt: daysAgo(89) });
    add(kind, 'waits', { createdAt: daysAgo(200), status: 'queued' });
    add(kind, 'runs', { createdAt: daysAgo(200), status: 'in_progress' });
  }
  const converse = (name: string, updatedAt: Date, turn: Partial<AnyJobRecord>) => {
    const conversation = `conv_${name}`;
    const account = name.endsWith('1') ? 'acc_2' : 'acc_1';
    conversations.push({ _id: conversation, account, nextTurn: 1, messageCount: 1, createdAt: updatedAt, updatedAt });
    add('chat', `turn-${name}`, { conversation, turn: 0, createdAt: updatedAt, finishedAt: updatedAt, ...turn });
    return conversation;
  };
  for (let index = 0; index < each; index += 1) old.push(converse(`old${index}`, daysAgo(100), {}));
  converse('young', daysAgo(89), {});
  converse('waits', daysAgo(100), { status: 'queued' });
  converse('unwritten', daysAgo(100), { messagesPending: true });
  return { jobs, conversations, old: old.toSorted() };
}

/** Every record and file that is left. */
async function stateOf({ db, blobs }: TestInstallation): Promise<string[]> {
  const left: string[] = [];
  for (const account of ['acc_1', 'acc_2']) {
    for await (const { _id } of db.transfer.jobsOf(account)) left.push(_id);
    for await (const { _id } of db.transfer.conversationsOf(account)) left.push(_id);
  }
  for (const name of ['old0', 'old1', 'old2', 'old3', 'old4', 'old5', 'young', 'waits', 'unwritten']) {
    for await (const { _id } of db.transfer.messagesOf(`conv_${name}`)) left.push(_id);
  }
  for await (const id of blobs.recordIds()) for await (const { key } of blobs.list(id)) left.push(key);
  return left.toSorted();
}

const byId = (items: CleanupItem[]) => items.toSorted((a, b) => a.id.localeCompare(b.id));
const idsOf = (items: CleanupItem[]) => items.map(({ id }) => id).toSorted();

describe('a cleanup', () => {
  test('removes exactly what its dry run lists: ids, files and bytes; and the dry run changes nothing', async () => {
    const house = await oneInstallation();
    const { old } = contents(4);
    const before = await stateOf(house);
    const planned = await Array.fromAsync(planCleanup(house, everything, never));
    expect(await stateOf(house)).toEqual(before);
    expect(idsOf(planned)).toEqual(old);
    expect(await countCleanup(house, everything, never)).toBe(planned.length);

    const removed = await Array.fromAsync(cleanUp(house, everything, never));
    expect(byId(removed)).toEqual(byId(planned));
    const [file] = planned.filter(({ id }) => id === 'trn_old0');
    expect(file).toMatchObject({ kind: 'transcription', account: 'acc_1', files: 1, bytes: 18 });
    expect(planned.find(({ id }) => id === 'spc_old0')).toMatchObject({ files: 2, bytes: 10 });
    const belongs = (key: string) => old.some((id) => key.startsWith(id)) || /^(msg_)?cht_turn-old/.test(key);
    expect(await stateOf(house)).toEqual(before.filter((key) => !belongs(key)));
    expect(await Array.fromAsync(cleanUp(house, everything, never))).toEqual([]);
  });

  test('is of one account and of some kinds where that is asked for', async () => {
    const house = await oneInstallation();
    const { old } = contents(4);
    const plan = async (selection: object) =>
      idsOf(await Array.fromAsync(planCleanup(house, { ...everything, ...selection }, never)));
    expect(await plan({ account: 'acc_2' })).toEqual(old.filter((id) => id.endsWith('1')));
    expect(await plan({ account: 'acc_3' })).toEqual([]);
    expect(await plan({ kinds: ['syntheses', 'conversations'] })).toEqual(old.filter((id) => /^(spc|conv)/.test(id)));
    expect(await plan({ before: daysAgo(102), kinds: ['chats'] })).toEqual(['cht_old3']);
    expect(await plan({ before: daysAgo(102.5), kinds: ['chats'] })).toEqual(['cht_old3']);
  });

  test('leaves a conversation alone in which a turn begins while it is looked at', async () => {
    const house = await oneInstallation(1);
    const { db } = house;
    const jobs: typeof db.jobs = {
      ...db.jobs,
      async hasEarlierTurn(conversation, turn) {
        const hasOne = await db.jobs.hasEarlierTurn(conversation, turn);
        await db.conversations.takeTurn('acc_1', conversation, { otherwise: 60 });
        return hasOne;
      },
    };
    const before = await stateOf(house);
    const selection = { ...everything, kinds: ['conversations'] as const };
    expect(await Array.fromAsync(cleanUp({ ...house, db: { ...db, jobs } }, selection, never))).toEqual([]);
    expect(await stateOf(house)).toEqual(before);
  });

  test('goes on past what cannot be removed, and fails at its end', async () => {
    const house = await oneInstallation(2);
    const blobs: typeof house.blobs = {
      ...house.blobs,
      deleteRecord: (id) =>
        id === 'trn_old0' ? Promise.reject(new Error('it is held')) : house.blobs.deleteRecord(id),
    };
    const told: CleanupItem[] = [];
    const running = async () => {
      for await (const item of cleanUp({ ...house, blobs }, everything, never)) told.push(item);
    };
    await expect(running()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(idsOf(told)).toEqual(contents(2).old.filter((id) => id !== 'trn_old0'));
    expect(idsOf(await Array.fromAsync(cleanUp(house, everything, never)))).toEqual(['trn_old0']);
  });

  test('run twice at once tells each of what is removed by one of the two, and all of its files', async () => {
    const house = await oneInstallation(8);
    const planned = await Array.fromAsync(planCleanup(house, everything, never));
    const runs = [1, 2].map(() => ({
      items: cleanUp(house, everything, never)[Symbol.asyncIterator](),
      told: [] as CleanupItem[],
    }));
    // Step by step, so that neither has done all before the other begins.
    for (let ended = 0; ended < runs.length; ) {
      const steps = await Promise.all(
        runs.map(async ({ items, told }) => {
          const { done, value } = await items.next();
          if (!done) told.push(value);
          return done;
        }),
      );
      ended = steps.filter(Boolean).length;
    }
    const told = runs.map((run) => run.told);
    expect(byId(told.flat())).toEqual(byId(planned));
    expect(told.every((items) => items.length > 0)).toBe(true);
  });
});

describe('a cleanup that is interrupted', () => {
  let whole: { told: CleanupItem[]; left: string[] };
  beforeAll(async () => {
    const house = await oneInstallation(5);
    whole = { told: await Array.fromAsync(cleanUp(house, everything, never)), left: await stateOf(house) };
  });

  test.each([1, 2])('and run again has removed the same, each told once (seed %i)', async (seed) => {
    const random = randomNumbers(seed);
    const house = await oneInstallation(5);
    const told: CleanupItem[] = [];
    for (let run = 0; run < 3; run += 1) {
      const stopping = new AbortController();
      const last = told.length + 1 + Math.floor(random() * 8);
      const running = async () => {
        for await (const item of cleanUp(house, everything, stopping.signal)) {
          if (told.push(item) === last) stopping.abort();
        }
      };
      await expect(running()).rejects.toThrow('abort');
    }
    expect(told.length).toBeLessThan(whole.told.length);
    for await (const item of cleanUp(house, everything, never)) told.push(item);
    expect(byId(told)).toEqual(byId(whole.told));
    expect(await stateOf(house)).toEqual(whole.left);
  });

  test.each([
    [4, CLEANUP_KINDS],
    [5, CLEANUP_KINDS],
    [6, ['conversations'] as const],
  ])('by the death of its process and run again leaves the same (seed %i)', async (seed, kinds) => {
    const random = randomNumbers(seed);
    const house = await oneInstallation(5);
    const told: CleanupItem[] = [];
    let deaths = 0;
    for (let run = 0; run < 4; run += 1) {
      const mortal = dyingAfter(house, Math.floor(random() * 60));
      try {
        for await (const item of cleanUp(mortal, { ...everything, kinds }, never)) told.push(item);
      } catch {
        deaths += 1;
      }
    }
    expect(deaths).toBeGreaterThan(1);
    for await (const item of cleanUp(house, everything, never)) told.push(item);
    expect(await stateOf(house)).toEqual(whole.left);
    // What was removed in the moment of a death is told by nobody, and nothing is told twice or otherwise.
    expect(new Set(idsOf(told)).size).toBe(told.length);
    for (const item of told) expect(whole.told).toContainEqual(item);
  });
});

const DEATH = new Error('the process died');

/** The same stores, none of which does anything any more after so many calls. */
function dyingAfter(house: TestInstallation, calls: number): RemovalDeps {
  let left = calls;
  const mortal = <T extends object>(store: T): T =>
    new Proxy(store, {
      get(target, name) {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          const isRead = name === 'ended' || name === 'idle' || name === 'list';
          left -= 1;
          if (left < 0 && !isRead) return Promise.reject(DEATH);
          return Reflect.apply(method, target, args) as unknown;
        };
      },
    });
  const { db, blobs, producer, live, log } = house;
  const { jobs, conversations, access, files, uploads, webhooks, usage, quotas } = db;
  return {
    db: { jobs: mortal(jobs), conversations: mortal(conversations), access, files, uploads, webhooks, usage, quotas },
    blobs: mortal(blobs),
    producer: mortal(producer),
    live: mortal(live),
    log,
  };
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = Math.imul(state ^ (state >>> 15), state | 1);
    state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
    return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
  };
}

const HEARD = {
  model: 'test',
  responseFormat: 'json' as const,
  wordTimestamps: false,
  audio: { blobKey: 'trn_1/input', bytes: 5, sha256: '00' },
};
const TASKS: { [Kind in JobKind]: Extract<AnyJobRecord, { kind: Kind }>['task'] } = {
  transcription: HEARD,
  translation: HEARD,
  speech: { model: 'test', voice: 'joe', input: 'hi', format: 'mp3', speed: 1 },
  chat: { model: 'test', messages: [{ role: 'user', content: 'hi' }], stop: [] },
  response: { model: 'test', messages: [{ role: 'user', content: 'hi' }], stop: [], background: false },
  'voice-turn': {
    model: 'test',
    transcription: { model: 'test' },
    speech: { model: 'test', voice: 'joe', format: 'mp3', speed: 1 },
    audio: { blobKey: 'vtn_1/input', bytes: 5, sha256: '00' },
  },
  batch: { endpoint: '/v1/responses', inputFile: 'file_1', completionWindow: '24h', windowEndsAt: 0 },
  export: {},
  erasure: { scope: { type: 'account' } },
};
