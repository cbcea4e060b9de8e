import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
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
const FILE_BYTES = 60 * MB;
const MESSAGES = 1_000;
const MESSAGE_BYTES = 8_000;
/** In MB. */
const MOST_HELD = 15;
const mongo = useMongo();

function usedMB(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / MB;
}

/** How many MB are held towards the end, over what was held before; the least of three looks, as freeing lags behind. */
async function heldWhile(run: (look: () => void) => Promise<unknown>): Promise<number> {
  // What a collection finds is freed a moment later.
  usedMB();
  await setImmediate();
  const before = usedMB();
  const held: number[] = [];
  await run(() => held.push(usedMB() - before));
  expect(held.length).toBeGreaterThan(5);
  return Math.min(...held.slice(-3));
}

/** Looks whenever so many bytes more have come. */
async function* lookingEvery<T>(
  bytes: number,
  look: () => void,
  { items, sizeOf }: { items: AsyncIterable<T>; sizeOf: (item: T) => number },
): AsyncGenerator<T> {
  let since = 0;
  for await (const item of items) {
    since += sizeOf(item);
    if (since >= bytes) look();
    since %= bytes;
    yield item;
  }
}

function watchedFile(file: Readable, look: () => void): Readable {
  const items = file as AsyncIterable<Buffer>;
  return Readable.from(lookingEvery(10 * MB, look, { items, sizeOf: ({ length }) => length }));
}

/** The same installation, looked at while messages and files come out of it, and while they go in. */
function watched({ db, blobs }: TestInstallation, look: () => void) {
  const { transfer, access } = db;
  return {
    db: {
      access,
      transfer: {
        ...transfer,
        messagesOf: (id: string) =>
          lookingEvery(2 * MB, look, { items: transfer.messagesOf(id), sizeOf: () => MESSAGE_BYTES }),
        insert: async (...records: Parameters<typeof transfer.insert>) => {
          look();
          await transfer.insert(...records);
        },
      },
    },
    blobs: {
      ...blobs,
      read: async (key: string) => watchedFile(await blobs.read(key), look),
      receive: (...[source, options]: Parameters<typeof blobs.receive>) =>
        blobs.receive(watchedFile(source, look), options),
    },
  };
}

async function addMuch({ db }: TestInstallation, blobDir: string, user: Populated): Promise<void> {
  const input = join(blobDir, 'blobs', user.jobs.transcription, 'input');
  await writeFile(input, '');
  await truncate(input, FILE_BYTES);
  const at = { account: user.account, conversation: user.conversation, createdAt: new Date() };
  for (let start = 0; start < MESSAGES; start += 250) {
    const messages = Array.from({ length: 250 }, (_, index) => ({
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
  const exporting = await heldWhile((look) => exportToDirectory(watched(source, look), archive));
  expect(exporting).toBeLessThan(MOST_HELD);
  const sources = await openArchives(join(dir, 'archives'));
  const options = { sources, dryRun: false, signal };
  const importing = await heldWhile((look) => importArchives(watched(target, look), options));
  expect(importing).toBeLessThan(MOST_HELD);
});
