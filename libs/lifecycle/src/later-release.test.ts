import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLEANUP_KINDS } from '@aigolos/contracts';
import { type DatabaseShell, openDatabaseShell, useMongo, useRedis } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { cleanUp } from './cleanup.ts';
import { createConsistencySweep, findInconsistencies } from './consistency/consistency.ts';
import { exportToDirectory } from './export/export-archive.ts';
import { openTestInstallation, type TestInstallation } from './installation.fake.ts';
import { removeAccount } from './removal.ts';
import { expire } from './retention.ts';
import { announceJobEnds, announcePending } from './webhooks.ts';

const redis = useRedis();
const mongo = useMongo();
const { signal } = new AbortController();
const LONG_AGO = new Date(Date.now() - 365 * 24 * 60 * 60_000);
let at: TestInstallation;
let shell: DatabaseShell;
beforeEach(async () => {
  const url = mongo.newDatabaseUrl();
  at = await openTestInstallation(redis, { newDatabaseUrl: () => url });
  shell = openDatabaseShell(url);
});
afterEach(async () => {
  await shell.close();
  await at.close();
});

/** A job that has ended, with a file, as only a later version makes them. */
async function insertLater(fields: object): Promise<string> {
  const id = await at.insertJob({ createdAt: LONG_AGO, finishedAt: LONG_AGO });
  await shell.run('jobs', 'updateOne', { _id: id }, { $set: fields });
  await at.storeBlob(`${id}/output-1.wav`);
  return id;
}

describe.each([{ kind: 'dubbing' }, { status: 'paused' }])(
  'a job as %o, which only a later version knows',
  (foreign) => {
    test('is left alone, with its files, by cleanup and by the search for what does not fit together', async () => {
      const id = await insertLater(foreign);
      const before = await at.db.jobs.find(id);
      const selection = { before: new Date(), kinds: CLEANUP_KINDS };
      expect(await Array.fromAsync(cleanUp(at, selection, signal))).toEqual([]);
      expect(await Array.fromAsync(findInconsistencies(at, signal))).toEqual([]);
      const sweep = createConsistencySweep(at, { graceMs: 0, isAsked: true });
      for (let time = 0; time < 2; time += 1) await sweep.sweep(signal);
      expect(await at.db.jobs.find(id)).toEqual(before);
      expect(await at.blobs.exists(`${id}/output-1.wav`)).toBe(true);
    });

    test('is left out of an export, which says so and holds the others', async () => {
      await insertLater(foreign);
      await at.insertJob({ finishedAt: new Date() });
      const directory = await mkdtemp(join(tmpdir(), 'aigolos-later-'));
      onTestFinished(() => rm(directory, { recursive: true, force: true }));
      const summary = await exportToDirectory(at, { account: at.account, directory, workDir: directory, signal });
      expect(summary).toMatchObject({ unfinished: 1, documents: { chats: 1 } });
    });

    test('goes with all that belongs to it when its account goes', async () => {
      const id = await insertLater(foreign);
      expect(await removeAccount(at, at.account, signal)).toEqual([]);
      expect(await at.db.jobs.find(id)).toBeUndefined();
      expect(await at.blobs.exists(`${id}/output-1.wav`)).toBe(false);
    });
  },
);

test('a job of a kind that only a later version knows is told of and deleted when it is due, as its record says', async () => {
  await at.insertEndpoint();
  const id = await insertLater({ kind: 'dubbing', webhooksPending: true, expiresAt: LONG_AGO });
  await announceJobEnds(at, [id]);
  expect(await announcePending(at, signal)).toBe(0);
  expect(await at.db.webhooks.deliveryIds({ job: id }, 9)).toHaveLength(1);
  expect(await expire(at, new Date(), signal)).toMatchObject({ jobs: 1 });
  expect(await at.blobs.exists(`${id}/output-1.wav`)).toBe(false);
});
