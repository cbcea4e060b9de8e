import { setTimeout as sleep } from 'node:timers/promises';
import { type ChatTask, newId } from '@aigolos/contracts';
import { useMongo } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyJobRecord,
  type Database,
  isDuplicateKey,
  type JobRecord,
  newJobRecord,
  openDatabase,
} from './index.ts';

const mongo = useMongo();
let db: Database;
let url: string;
beforeEach(async () => {
  url = mongo.newDatabaseUrl();
  db = await openDatabase(url);
  await db.prepare();
});
afterEach(() => db.close());

function chatJob(fields: Partial<JobRecord<'chat'>> = {}): JobRecord<'chat'> {
  const task: ChatTask = { model: 'test', messages: [{ role: 'user', content: 'hi' }], stop: [] };
  return newJobRecord({ _id: newId('chat'), kind: 'chat', account: 'acc_1', task, ...fields });
}

const by = (worker: string, leaseMs = 10_000) => ({ worker, leaseMs });
const ending = { status: 'completed' as const, finishedAt: new Date() };

describe('jobs', () => {
  test('a task that does not fit its kind is refused', async () => {
    await expect(db.jobs.insert(chatJob({ task: { model: 'test' } as never }))).rejects.toThrow(/task/);
  });

  test('of many claims at once exactly one wins', async () => {
    const job = chatJob();
    await db.jobs.insert(job);
    const claims = await Promise.all(Array.from({ length: 10 }, (_, index) => db.jobs.claim(job._id, by(`w${index}`))));
    expect(claims.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(1);
    expect(claims.filter(({ outcome }) => outcome === 'held')).toHaveLength(9);
    expect((await db.jobs.find(job._id))?.fence).toBe(1);
  });

  test('a claim whose lease ran out is taken over, and its late completion changes nothing', async () => {
    const job = chatJob();
    await db.jobs.insert(job);
    await db.jobs.claim(job._id, by('slow', 30));
    await sleep(40);
    const second = await db.jobs.claim(job._id, by('fast'));
    expect(second).toMatchObject({ outcome: 'claimed', job: { fence: 2, crashes: 1 } });
    expect(await db.jobs.renew(job._id, 1, { leaseMs: 1_000, progress: 0.5 })).toBe('lost');
    expect(await db.jobs.finish(job._id, 1, { ...ending, result: { text: 'late', finishReason: 'stop' } })).toBe(false);
    expect(await db.jobs.finish(job._id, 2, { ...ending, result: { text: 'won', finishReason: 'stop' } })).toBe(true);
    expect(await db.jobs.find(job._id)).toMatchObject({ status: 'completed', progress: 1, result: { text: 'won' } });
    expect(await db.jobs.claim(job._id, by('third'))).toEqual({ outcome: 'final' });
  });

  test('a renewal carries progress and checkpoint, and tells of a cancel', async () => {
    const job = chatJob();
    await db.jobs.insert(job);
    await db.jobs.claim(job._id, by('w'));
    expect(await db.jobs.renew(job._id, 1, { leaseMs: 1_000, progress: 0.5, checkpoint: { done: 3 } })).toBe('held');
    expect(await db.jobs.find(job._id)).toMatchObject({ progress: 0.5, checkpoint: { done: 3 } });
    expect(await db.jobs.requestCancel('acc_1', job._id, {})).toBe('in_progress');
    expect(await db.jobs.renew(job._id, 1, { leaseMs: 1_000, progress: 0.6 })).toBe('cancel_requested');
  });

  test('a drained attempt does not count, a failed one does', async () => {
    const job = chatJob();
    await db.jobs.insert(job);
    await db.jobs.claim(job._id, by('w'));
    await db.jobs.release(job._id, 1, { outcome: 'drained' });
    expect(await db.jobs.find(job._id)).toMatchObject({ status: 'queued', attempt: 0 });
    await db.jobs.claim(job._id, by('w'));
    await db.jobs.release(job._id, 2, { outcome: 'retried' });
    expect(await db.jobs.find(job._id)).toMatchObject({ status: 'queued', attempt: 1, fence: 2 });
  });

  test('cancelling a queued job ends it; cancelling again or after the end is harmless', async () => {
    const job = chatJob();
    await db.jobs.insert(job);
    expect(await db.jobs.requestCancel('acc_2', job._id, {})).toBeUndefined();
    expect(await db.jobs.requestCancel('acc_1', job._id, {})).toBe('cancelled');
    expect(await db.jobs.requestCancel('acc_1', job._id, {})).toBe('cancelled');
    expect(await db.jobs.claim(job._id, by('w'))).toEqual({ outcome: 'final' });
  });

  test('only an ended job of the same account can be deleted', async () => {
    const job = chatJob();
    await db.jobs.insert(job);
    expect(await db.jobs.deleteFinal('acc_1', job._id)).toBe(false);
    await db.jobs.requestCancel('acc_1', job._id, {});
    expect(await db.jobs.deleteFinal('acc_2', job._id)).toBe(false);
    expect(await db.jobs.deleteFinal('acc_1', job._id)).toBe(true);
  });

  test('pages through an account, newest first, without gap or repeat', async () => {
    const at = new Date();
    const ids = Array.from({ length: 7 }, () => newId('chat'));
    for (const _id of ids) await db.jobs.insert(chatJob({ _id, createdAt: at }));
    await db.jobs.insert(chatJob({ account: 'acc_2' }));
    const seen: string[] = [];
    let after: AnyJobRecord | undefined;
    do {
      const page: AnyJobRecord[] = await db.jobs.list({ account: 'acc_1', limit: 3, after });
      seen.push(...page.map(({ _id }) => _id));
      after = page.at(-1);
    } while (after);
    expect(seen).toEqual(ids.toSorted().toReversed());
  });
});

describe('conversations', () => {
  test('every turn is given once', async () => {
    const { _id } = await db.conversations.create('acc_1');
    const turns = await Promise.all(
      Array.from({ length: 8 }, () => db.conversations.takeTurn('acc_1', _id, { otherwise: null })),
    );
    expect(turns.map((taken) => taken?.turn ?? -1).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('a turn written twice, or cut off in between, stands there once and in order', async () => {
    const { _id: conversation } = await db.conversations.create('acc_1');
    const turn = (job: string, count: number) => ({
      conversation,
      account: 'acc_1',
      job,
      at: new Date(),
      messages: [
        { role: 'user' as const, content: `question of ${job}` },
        { role: 'assistant' as const, content: `answer of ${job}` },
      ].slice(0, count),
    });
    await db.conversations.appendTurn(turn('cht_1', 2));
    await db.conversations.appendTurn(turn('cht_2', 1));
    await db.conversations.appendTurn(turn('cht_2', 2));
    await db.conversations.appendTurn(turn('cht_2', 2));
    const messages = await db.conversations.lastMessages(conversation, 3);
    expect(messages.map(({ seq, content }) => [seq, content])).toEqual([
      [1, 'answer of cht_1'],
      [2, 'question of cht_2'],
      [3, 'answer of cht_2'],
    ]);
  });

  test('a turn written by several at once stands there once, and none of them fails', async () => {
    const { _id: conversation } = await db.conversations.create('acc_1');
    const messages = [
      { role: 'user' as const, content: 'question' },
      { role: 'assistant' as const, content: 'answer' },
    ];
    const turn = { conversation, account: 'acc_1', job: 'cht_1', messages, at: new Date() };
    await Promise.all(Array.from({ length: 4 }, () => db.conversations.appendTurn(turn)));
    const written = await db.conversations.lastMessages(conversation, 9);
    expect(written.map(({ seq, content }) => [seq, content])).toEqual([
      [0, 'question'],
      [1, 'answer'],
    ]);
  });

  test('one that was removed gets no messages of a turn that was under way', async () => {
    const { _id: conversation } = await db.conversations.create('acc_1');
    const messages = [{ role: 'user' as const, content: 'hi' }];
    await db.conversations.delete(conversation);
    await db.conversations.appendTurn({ conversation, account: 'acc_1', job: 'cht_1', messages, at: new Date() });
    expect(await db.conversations.messageIds(conversation, 9)).toEqual([]);
  });
});

test('a unique index says so', async () => {
  const job = chatJob();
  await db.jobs.insert(job);
  const error = await db.jobs.insert(job).catch((caught: unknown) => caught);
  expect(isDuplicateKey(error)).toBe(true);
});
