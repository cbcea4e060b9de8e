import { useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTestInstallation, type TestInstallation } from './installation.fake.ts';
import { dropExpiredFiles, expire } from './retention.ts';

const redis = useRedis();
const mongo = useMongo();
const signal = new AbortController().signal;
let house: TestInstallation;
beforeEach(async () => {
  house = await openTestInstallation(redis, mongo);
});
afterEach(() => house.close());

const HOUR_MS = 60 * 60_000;
const past = new Date(Date.now() - 1_000);
const future = new Date(Date.now() + HOUR_MS);
const keysOf = async (id: string) => (await Array.fromAsync(house.blobs.list(id), ({ key }) => key)).toSorted();

/** A conversation that is over by its time, with one message, whose last turn was taken then. */
async function overdueConversation(turnTakenAt: Date): Promise<string> {
  const { account } = house;
  const record = await house.db.conversations.create(account);
  const conversation = `${record._id}x`;
  const times = { expiresAt: past, retentionSeconds: 60, turnTakenAt };
  await house.db.transfer.insert('conversation', [{ ...record, ...times, _id: conversation, nextTurn: 1 }]);
  const messages = [{ role: 'user' as const, content: 'hi' }];
  await house.db.conversations.appendTurn({ conversation, account, job: `cht_${conversation}`, messages, at: past });
  return conversation;
}

describe('what is due', () => {
  test('goes with its files, and what is not due or has not ended stays', async () => {
    const due = await house.insertJob({ expiresAt: past });
    const kept = [
      await house.insertJob({ expiresAt: future }),
      await house.insertJob({}),
      await house.insertJob({ status: 'in_progress', expiresAt: past }),
      await house.insertJob({ expiresAt: past, messagesPending: true }),
      await house.insertJob({ expiresAt: past, webhooksPending: true }),
    ];
    for (const id of [due, ...kept]) await house.storeBlob(`${id}/input`);
    expect(await expire(house, new Date(), signal)).toEqual({
      files: 0,
      jobs: 1,
      conversations: 0,
      uploadedFiles: 0,
      uploads: 0,
    });
    expect(await expire(house, new Date(), signal)).toEqual({
      files: 0,
      jobs: 0,
      conversations: 0,
      uploadedFiles: 0,
      uploads: 0,
    });
    expect(await house.db.jobs.existing([due, ...kept])).toEqual(new Set(kept));
    expect((await Array.fromAsync(house.blobs.recordIds())).toSorted()).toEqual(kept.toSorted());
  });

  test('of files goes alone, each at its own time, and is written down', async () => {
    const times = { inputExpiresAt: past, outputExpiresAt: future, filesExpireAt: past };
    const id = await house.insertJob({ kind: 'transcription', task: TRANSCRIPTION, ...times });
    for (const name of ['input', 'output-1.mp3']) await house.storeBlob(`${id}/${name}`);
    expect(await expire(house, new Date(), signal)).toMatchObject({ files: 1 });
    expect(await expire(house, new Date(), signal)).toMatchObject({ files: 0 });
    expect(await keysOf(id)).toEqual([`${id}/output-1.mp3`]);
    expect(await house.db.jobs.find(id)).toMatchObject({ inputDeletedAt: expect.any(Date), filesExpireAt: future });
    await dropExpiredFiles(house, id, new Date(future.getTime() + 1));
    expect(await keysOf(id)).toEqual([]);
    const job = await house.db.jobs.find(id);
    expect(job?.outputDeletedAt).toBeInstanceOf(Date);
    expect(job).not.toHaveProperty('filesExpireAt');
  });

  test('of conversations goes with what was said, but not under a turn that waits, runs or is about to', async () => {
    const idle = await overdueConversation(new Date(Date.now() - HOUR_MS));
    const turn = await house.insertJob({ conversation: idle, turn: 0 });
    const taken = await overdueConversation(new Date());
    const waiting = await overdueConversation(new Date(Date.now() - HOUR_MS));
    await house.insertJob({ conversation: waiting, turn: 0, status: 'queued' });
    const unwritten = await overdueConversation(new Date(Date.now() - HOUR_MS));
    await house.insertJob({ conversation: unwritten, turn: 0, messagesPending: true });
    for (const conversations of [1, 0]) {
      expect(await expire(house, new Date(), signal)).toMatchObject({ files: 0, jobs: 0, conversations });
    }
    expect(await house.db.conversations.exists(idle)).toBe(false);
    expect(await house.db.conversations.lastMessages(idle, 9)).toEqual([]);
    expect(await house.db.jobs.existing([turn])).toEqual(new Set());
    for (const busy of [taken, waiting, unwritten]) {
      expect(await house.db.conversations.exists(busy)).toBe(true);
      expect(await house.db.conversations.lastMessages(busy, 9)).toHaveLength(1);
    }
  });
});

describe('a conversation', () => {
  test('that is being removed takes no turn, and a late message does not bring it back', async () => {
    const { _id } = await house.db.conversations.create(house.account);
    await house.db.conversations.takeTurn(house.account, _id, { otherwise: 60 });
    expect(await house.db.conversations.close({ _id, nextTurn: 0 })).toBe(false);
    expect(await house.db.conversations.close({ _id, nextTurn: 1 })).toBe(true);
    await house.db.conversations.noteMessage({ conversation: _id, seq: 0, createdAt: future });
    expect(await house.db.conversations.findOwned(house.account, _id)).toBeUndefined();
    expect(await house.db.conversations.takeTurn(house.account, _id, { otherwise: 60 })).toBeUndefined();
  });

  test('ends a time after its last turn, and after its last message where that is later', async () => {
    const { conversations } = house.db;
    const { _id } = await conversations.create(house.account);
    const endsIn = async () => {
      const { expiresAt } = (await conversations.findOwned(house.account, _id)) ?? {};
      return expiresAt && (expiresAt.getTime() - Date.now()) / 1_000;
    };
    await conversations.takeTurn(house.account, _id, { otherwise: 600 });
    expect(await endsIn()).toBeCloseTo(600, -1);
    await conversations.noteMessage({ conversation: _id, seq: 1, createdAt: new Date(Date.now() + HOUR_MS) });
    expect(await endsIn()).toBeCloseTo(4_200, -1);
    await conversations.noteMessage({ conversation: _id, seq: 0, createdAt: new Date() });
    expect(await endsIn()).toBeCloseTo(4_200, -1);
    // What the account or the installation says counts at the first turn only; a request can say otherwise at any.
    await conversations.takeTurn(house.account, _id, { otherwise: 99_999 });
    expect(await endsIn()).toBeCloseTo(600, -1);
    await conversations.takeTurn(house.account, _id, { wanted: null, otherwise: 600 });
    expect(await endsIn()).toBeUndefined();
    await conversations.noteMessage({ conversation: _id, seq: 2, createdAt: new Date() });
    expect(await endsIn()).toBeUndefined();
  });
});

const TRANSCRIPTION = {
  model: 'test',
  responseFormat: 'json' as const,
  wordTimestamps: false,
  audio: { blobKey: 'trn_1/input', bytes: 5, sha256: '00' },
};
