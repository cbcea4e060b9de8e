import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { newId } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { testLog as log, useMongo, useS3 } from '@aigolos/testing';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DOCUMENT_KINDS, KIND_SINCE } from '../archive/documents.ts';
import { type Manifest, pathOfDocuments } from '../archive/manifest.ts';
import { exportToDirectory, exportToFolder, importArchives, openArchives, removeAccount } from '../index.ts';
import {
  batched,
  openInstallation,
  type Populated,
  populate,
  type TestInstallation,
  temporaryDir,
  turnedVoice,
  uploaded,
} from './installation.fake.ts';

const mongo = useMongo();
const s3 = useS3();
const signal = new AbortController().signal;
const USERNAME = 'Ünï/../cody';

let dir: string;
let source: TestInstallation;
let user: Populated;

async function open(store?: Parameters<typeof openInstallation>[1]): Promise<TestInstallation> {
  const installation = await openInstallation(mongo, store);
  onTestFinished(() => installation.close());
  return installation;
}

async function begin(store?: Parameters<typeof openInstallation>[1]): Promise<void> {
  dir = await temporaryDir();
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  source = await open(store);
  user = await populate(source, USERNAME, 2);
}

type ExportTo = (from: TestInstallation, name: string) => Promise<string>;
const toFolder: ExportTo = async (from, name) =>
  (await exportToFolder(from, { account: user.account, directory: join(dir, name), signal })).path;
const toArchive: ExportTo = async (from, name) => {
  const options = { account: user.account, directory: join(dir, name), workDir: join(dir, 'work'), signal };
  return (await exportToDirectory(from, options)).path;
};
const manifestIn = async (path: string) => (await openArchives(path))[0]?.manifest;
const bring = async (into: TestInstallation, path: string, options: { dryRun?: boolean; into?: string } = {}) =>
  importArchives(into, { sources: await openArchives(path), dryRun: false, signal, ...options });

/** Everything that an account has, gone. */
async function erase({ db, blobs }: TestInstallation): Promise<void> {
  const gone = { remove: () => Promise.resolve() };
  for await (const { _id, status, fence } of db.transfer.jobsOf(user.account)) {
    if (status === 'in_progress') await db.jobs.finish(_id, fence, { status: 'cancelled', finishedAt: new Date() });
  }
  expect(await removeAccount({ db, blobs, producer: gone, live: gone, log }, user.account)).toEqual([]);
}

describe.each([
  ['a folder, files on disk', toFolder, async () => ({})],
  ['an archive, files on disk', toArchive, async () => ({})],
  ['an archive, files in S3', toArchive, () => s3.newBucket()],
])('%s', (_name, exportTo, newStore) => {
  beforeEach(async () => begin(await newStore()));

  test('export, erase, import, export: the manifests are identical; and elsewhere the same records come to be', async () => {
    const path = await exportTo(source, 'first');
    const manifest = await manifestIn(path);
    expect(manifest?.documents).toEqual({
      account: 1,
      'webhook-endpoints': 1,
      conversations: 2,
      messages: 12,
      chats: 6,
      responses: 2,
      syntheses: 2,
      transcriptions: 2,
      'voice-turns': 0,
      batches: 0,
      files: 0,
    });
    expect(manifest?.files).toHaveLength(DOCUMENT_KINDS.length + 4);

    const other = await open(await newStore());
    await bring(other, path);
    for (const id of Object.values(user.jobs)) {
      expect(await other.db.jobs.find(id)).toEqual(await source.db.jobs.find(id));
    }
    const { files } = await source.contents();
    expect((await other.contents()).files).toEqual(files);
    const again = await bring(other, path);
    expect(again[0]).toMatchObject({ changed: false, files: { added: 0, present: 4 } });

    await erase(source);
    expect(await source.contents()).toEqual({ accounts: [], all: [], files: [] });
    expect((await bring(source, path))[0]).toMatchObject({ changed: true, username: USERNAME });
    expect(await manifestIn(await exportTo(source, 'second'))).toEqual(manifest);
  });
});

describe('an import', () => {
  beforeEach(() => begin());

  test('goes on where conversations were, leaves out what ran, and has webhooks wait for a secret of their own', async () => {
    const other = await open();
    await bring(other, await toArchive(source, 'first'));
    const { account, conversation, endpoint } = user;
    expect(await other.db.conversations.takeTurn(account, conversation, { otherwise: null })).toMatchObject({
      turn: 3,
    });
    expect(await other.db.jobs.list({ account, limit: 100, status: 'in_progress' })).toEqual([]);
    const [there, here] = [
      await other.db.webhooks.findEndpoint(endpoint),
      await source.db.webhooks.findEndpoint(endpoint),
    ];
    expect(there).toMatchObject({
      url: here?.url,
      status: 'paused',
      secrets: { current: expect.stringMatching(/^whsec_/) },
    });
    expect(there?.secrets).not.toEqual(here?.secrets);
  });
});

test('voice turns travel with their audio', async () => {
  await begin();
  const turn = await turnedVoice(source, user);
  const other = await open();
  await bring(other, await toFolder(source, 'later'));
  expect(await other.db.jobs.find(turn)).toEqual(await source.db.jobs.find(turn));
  const keys = await Array.fromAsync(other.blobs.list(turn), ({ key }) => key);
  expect(keys.toSorted()).toEqual([`${turn}/input`, `${turn}/output-3.wav`]);
});

describe('an export', () => {
  beforeEach(() => begin());

  test('holds no key, no hash, no running job, and nothing of anybody else', async () => {
    const stranger = await populate(source, 'stranger');
    const path = await toFolder(source, 'first');
    const names = await readdir(path, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const everything = Buffer.concat(await Promise.all(files.map((file) => readFile(file)))).toString();
    for (const marker of [
      'hash',
      'sk-aigolos',
      'whsec_',
      'secret label',
      'still going',
      'stranger',
      stranger.account,
    ]) {
      expect(everything, marker).not.toContain(marker);
    }
    expect(everything).toContain('Что нового? 🎙');
  });

  test('leaves out and counts what has not ended, also a turn whose messages are still to be written', async () => {
    const chat = await source.db.jobs.find(user.jobs.chat);
    await source.db.jobs.insert({ ...chat, _id: newId('chat'), turn: 99, messagesPending: true } as JobRecord);
    const summary = await exportToFolder(source, { account: user.account, directory: dir, signal });
    expect(summary).toMatchObject({ unfinished: 2, documents: { chats: 6 } });
  });

  test('of the same data is the same archive to the byte, whenever and wherever it is made', async () => {
    const [first, second] = [await toArchive(source, 'first'), await toArchive(source, 'second')];
    expect((await readFile(first)).equals(await readFile(second))).toBe(true);
    expect(await manifestIn(await toFolder(source, 'third'))).toEqual(await manifestIn(first));
  });

  test('into the same folder brings it up to date, and removes what is gone', async () => {
    const path = await toFolder(source, 'same');
    const { transcription, speech } = user.jobs;
    await source.db.jobs.deleteFinal(user.account, transcription);
    await source.blobs.deleteRecord(transcription);
    await populate(source, USERNAME);
    await toFolder(source, 'same');
    const manifest = await manifestIn(path);
    expect(manifest?.documents).toMatchObject({ transcriptions: 2, syntheses: 3 });
    const present = await readdir(join(path, 'files'));
    expect(present).toHaveLength(5);
    expect(present).toContain(speech);
    expect(present).not.toContain(transcription);
    await bring(await open(), path);
  });

  test('takes no folder that holds something else', async () => {
    const path = await toFolder(source, 'mine');
    await rm(join(path, 'manifest.json'));
    await expect(toFolder(source, 'mine')).rejects.toMatchObject({ code: 'EXPORT_FAILED' });
    await writeFile(join(path, 'manifest.json'), '{}');
    await expect(toFolder(source, 'mine')).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });
});

test('uploaded files go along with their bytes', async () => {
  await begin();
  await uploaded(source, user.account, 'my notes');
  const target = await open();
  const path = await toArchive(source, 'with-files');
  expect((await manifestIn(path))?.documents).toMatchObject({ files: 1 });
  await bring(target, path);
  const filesOf = ({ db }: TestInstallation) => Array.fromAsync(db.transfer.filesOf(user.account));
  expect(await filesOf(target)).toEqual(await filesOf(source));
  const [file] = await filesOf(target);
  expect(await text(await target.blobs.read(file?.blobKey ?? ''))).toBe('my notes');
  expect((await bring(target, path))[0]?.changed).toBe(false);
});

test('batches travel with their lines and the files that they made', async () => {
  await begin();
  const id = await batched(source, user);
  const target = await open();
  await bring(target, await toArchive(source, 'with a batch'));
  expect(await target.db.jobs.find(id)).toEqual(await source.db.jobs.find(id));
  expect(await Array.fromAsync(target.db.jobs.linesOf(id))).toEqual(await Array.fromAsync(source.db.jobs.linesOf(id)));
  const file = id.replace('batch_', 'file_');
  expect(await target.db.files.madeBy(id)).toEqual([file]);
  expect(await text(await target.blobs.read(`${file}/content-1`))).toBe('{"custom_id":"one"}');
});

test('an archive of version 1, which knew fewer kinds of documents, is taken in as before', async () => {
  await begin();
  const folder = await toFolder(source, 'earlier');
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  const later = DOCUMENT_KINDS.filter((kind) => (KIND_SINCE[kind] ?? 1) > 1);
  const documents = Object.fromEntries(
    Object.entries(manifest.documents).filter(([kind]) => !later.includes(kind as never)),
  );
  const files = manifest.files.filter(({ path }) => !later.some((kind) => path === pathOfDocuments(kind)));
  await Promise.all(later.map((kind) => rm(join(folder, pathOfDocuments(kind)))));
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, schemaVersion: 1, documents, files }));
  const other = await open();
  expect((await bring(other, folder))[0]).toMatchObject({ changed: true });
  expect(await other.db.jobs.find(user.jobs.speech)).toEqual(await source.db.jobs.find(user.jobs.speech));
});
