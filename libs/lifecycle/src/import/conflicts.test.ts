import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '@aigolos/contracts';
import { useMongo } from '@aigolos/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ArchiveSource } from '../archive/archive-source.ts';
import {
  openInstallation,
  type Populated,
  populate,
  storeBlob,
  type TestInstallation,
  temporaryDir,
} from '../export/installation.fake.ts';
import { exportToFolder, type ImportOptions, importArchives, openArchives } from '../index.ts';

const mongo = useMongo();
const signal = new AbortController().signal;

let dir: string;
let user: Populated;
let sources: ArchiveSource[];
let target: TestInstallation;
beforeAll(async () => {
  dir = await temporaryDir();
  const source = await openInstallation(mongo);
  user = await populate(source, 'ann');
  sources = await openArchives((await exportToFolder(source, { account: user.account, directory: dir, signal })).path);
  await source.close();
});
afterAll(() => rm(dir, { recursive: true, force: true }));
beforeEach(async () => {
  target = await openInstallation(mongo);
  onTestFinished(() => target.close());
});

const bring = (options: Partial<ImportOptions> = {}) =>
  importArchives(target, { sources, dryRun: false, signal, ...options });

async function expectConflict(reason: string): Promise<void> {
  const before = await target.contents();
  const error = await bring().catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'IMPORT_CONFLICT', message: expect.stringContaining(reason) });
  expect(await target.contents()).toEqual(before);
}

describe('an import into an installation that lives', () => {
  test('refuses a user whose name is taken, and adds to that one where it is told to', async () => {
    const { _id: account } = await target.db.access.ensureAccount('ann');
    await expectConflict('--into ann adds to that one');
    const [summary] = await bring({ into: 'ann' });
    expect(summary).toMatchObject({ account, changed: true, documents: { account: { added: 0, present: 1 } } });
    expect(await target.db.jobs.findOwned(account, user.jobs.speech)).toMatchObject({ account });
    expect(await target.db.conversations.findOwned(account, user.conversation)).toMatchObject({ nextTurn: 3 });
    expect((await bring({ into: 'ann' }))[0]?.changed).toBe(false);
    await expect(bring({ into: 'nobody' })).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
  });

  test('refuses records that are here with other content or of another account, before anything is written', async () => {
    await bring();
    const job = await target.db.jobs.find(user.jobs.speech);
    await target.db.jobs.deleteFinal(user.account, user.jobs.speech);
    await target.db.jobs.insert({ ...job, warnings: ['changed'] } as never);
    await expectConflict(`${user.jobs.speech} is here with other content`);
    await target.db.jobs.deleteFinal(user.account, user.jobs.speech);
    const { _id: other } = await target.db.access.ensureAccount('bob');
    await target.db.jobs.insert({ ...job, account: other } as never);
    await expectConflict(`${user.jobs.speech} is here with other content`);
  });

  test('refuses turns and messages in the place of others', async () => {
    await bring();
    const job = await target.db.jobs.find(user.jobs.chat);
    await target.db.jobs.deleteFinal(user.account, user.jobs.chat);
    const _id = newId('chat');
    await target.db.jobs.insert({ ...job, _id } as never);
    await expectConflict(`place 2 of ${user.conversation} is that of ${_id} here`);
  });

  test('brings back what is missing and leaves what went on: conversations, lifetimes, deleted audio', async () => {
    await bring();
    const { jobs, conversations } = target.db;
    await jobs.deleteFinal(user.account, user.jobs.speech);
    await target.blobs.deleteRecord(user.jobs.speech);
    await target.blobs.deleteRecord(user.jobs.transcription);
    const transcription = await jobs.find(user.jobs.transcription);
    await jobs.deleteFinal(user.account, user.jobs.transcription);
    await jobs.insert({
      ...transcription,
      inputDeletedAt: new Date(),
      expiresAt: new Date(Date.now() + 60_000),
    } as never);
    await conversations.takeTurn(user.account, user.conversation, { otherwise: null });
    const [summary] = await bring();
    expect(summary).toMatchObject({
      documents: {
        syntheses: { added: 1 },
        conversations: { present: 1, advanced: 0 },
        transcriptions: { present: 1 },
      },
      files: { added: 1, skipped: 1 },
    });
    expect(await target.blobs.exists(`${user.jobs.transcription}/input`)).toBe(false);
    expect(await target.blobs.exists(`${user.jobs.speech}/output-1.mp3`)).toBe(true);
    expect(await conversations.findOwned(user.account, user.conversation)).toMatchObject({ nextTurn: 4 });
  });

  test('a dry run says what would be done, and does nothing', async () => {
    const before = await target.contents();
    const planned = await bring({ dryRun: true });
    expect(await target.contents()).toEqual(before);
    expect(await bring()).toEqual(planned);
    expect(planned[0]).toMatchObject({ changed: true, documents: { messages: { added: 6 } }, files: { added: 2 } });
  });
});

test('what has expired since the export is not brought back, nor its file; nobody is called for what is', async () => {
  const source = await openInstallation(mongo);
  onTestFinished(() => source.close());
  const soon = await populate(source, 'soon');
  const speech = await source.db.jobs.find(soon.jobs.speech);
  await source.db.jobs.deleteFinal(soon.account, soon.jobs.speech);
  await source.db.jobs.insert({ ...speech, expiresAt: new Date(Date.now() - 1_000), webhooksPending: true } as never);
  await storeBlob(source.blobs, `${soon.jobs.speech}/output-1.mp3`, 'again');
  const { path } = await exportToFolder(source, { account: soon.account, directory: join(dir, 'soon'), signal });
  const [summary] = await bring({ sources: await openArchives(path) });
  expect(summary).toMatchObject({
    documents: { syntheses: { added: 0, skipped: 1 } },
    files: { added: 1, skipped: 1 },
  });
  expect(await target.db.jobs.find(soon.jobs.speech)).toBeUndefined();
  for await (const job of target.db.transfer.jobsOf(soon.account)) {
    expect(job).not.toHaveProperty('webhooksPending');
    expect(job).not.toHaveProperty('messagesPending');
  }
});
