import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { newId } from '@aigolos/contracts';
import { useMongo } from '@aigolos/testing';
import { expect, onTestFinished, test } from 'vitest';
import { exportToDirectory, importArchives, openArchives } from '../index.ts';
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
const FILE_BYTES = 80 * MB;
const MESSAGES = 1_000;
const MESSAGE_BYTES = 8_000;
/** In MB. */
const MOST_HELD = 25;
const LOOK_EVERY_MS = 400;
const mongo = useMongo();

/** How many MB were held half of the time while it ran, over what was held before; not what only waits to be freed. */
async function heldWhile(run: () => Promise<unknown>): Promise<number> {
  const used = () => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / MB;
  };
  // What a collection finds is freed a moment later.
  used();
  await setImmediate();
  const before = used();
  const held: number[] = [];
  const looking = setInterval(() => held.push(used() - before), LOOK_EVERY_MS);
  try {
    await run();
  } finally {
    clearInterval(looking);
  }
  expect(held.length).toBeGreaterThan(2);
  return held.toSorted((a, b) => a - b)[held.length >> 1] ?? Number.NaN;
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

  const archive = { account, directory: join(dir, 'archives'), workDir: dir, signal };
  expect(await heldWhile(() => exportToDirectory(source, archive))).toBeLessThan(MOST_HELD);
  const sources = await openArchives(join(dir, 'archives'));
  expect(await heldWhile(() => importArchives(target, { sources, dryRun: false, signal }))).toBeLessThan(MOST_HELD);
});
