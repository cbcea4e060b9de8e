import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { newId } from '@aigolos/contracts';
import { useMongo } from '@aigolos/testing';
import { expect, onTestFinished, test } from 'vitest';
import { exportToDirectory, exportToFolder, importArchives, openArchives } from '../index.ts';
import {
  openInstallation,
  type Populated,
  populate,
  type TestInstallation,
  temporaryDir,
} from './installation.fake.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MB = 1024 ** 2;
const FILE_BYTES = 200 * MB;
const MESSAGES = 2_500;
const MESSAGE_BYTES = 8_000;
/** In MB. Freeing runs beside this thread: some of it is always still on its way. */
const MOST_HELD = 50;
const LOOK_EVERY_MS = 250;
const mongo = useMongo();

/** How many MB were held at most while it ran, over what was held before; not what only waits to be collected. */
async function heldWhile(run: () => Promise<unknown>): Promise<number> {
  const used = () => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / MB;
  };
  const before = used();
  const held: number[] = [];
  const looking = setInterval(() => held.push(used() - before), LOOK_EVERY_MS);
  try {
    await run();
  } finally {
    clearInterval(looking);
  }
  expect(held.length).toBeGreaterThan(0);
  return Math.max(...held);
}

async function addMuch({ db }: TestInstallation, blobDir: string, user: Populated): Promise<void> {
  const input = join(blobDir, 'blobs', user.jobs.transcription, 'input');
  await writeFile(input, '');
  await truncate(input, FILE_BYTES);
  const at = { account: user.account, conversation: user.conversation, createdAt: new Date() };
  for (let start = 0; start < MESSAGES; start += 500) {
    const messages = Array.from({ length: 500 }, (_, index) => ({
      ...at,
      _id: `msg_${newId('chat')}_0`,
      seq: 10 + start + index,
      role: 'user' as const,
      content: `${start + index} `.padEnd(MESSAGE_BYTES, 'x'),
      job: newId('chat'),
    }));
    await db.transfer.insert('message', messages);
  }
}

test('exports and imports hold a small part of what they carry in memory', { timeout: 60_000 }, async () => {
  const dir = await temporaryDir();
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'blobs'));
  const source = await openInstallation(mongo, { BLOB_DIR: dir });
  onTestFinished(() => source.close());
  const user = await populate(source, 'ann');
  await addMuch(source, dir, user);
  const target = await openInstallation(mongo);
  onTestFinished(() => target.close());
  const account = user.account;
  const signal = new AbortController().signal;

  const folder = { account, directory: join(dir, 'folders'), signal };
  const archive = { account, directory: join(dir, 'archives'), workDir: dir, signal };
  expect(await heldWhile(() => exportToFolder(source, folder))).toBeLessThan(MOST_HELD);
  expect(await heldWhile(() => exportToDirectory(source, archive))).toBeLessThan(MOST_HELD);
  const sources = await openArchives(join(dir, 'archives'));
  expect(await heldWhile(() => importArchives(target, { sources, dryRun: false, signal }))).toBeLessThan(MOST_HELD);
});
