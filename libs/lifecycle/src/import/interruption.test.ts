import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { useMongo } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Manifest } from '../archive/manifest.ts';
import {
  openInstallation,
  type Populated,
  populate,
  type TestInstallation,
  temporaryDir,
} from '../export/installation.fake.ts';
import { exportToDirectory, exportToFolder, importArchives, openArchives } from '../index.ts';

const mongo = useMongo();
const SEED = 20_251_123;
/** Of an account that was populated three times, and one that runs. */
const JOBS = 3 * 6 + 1;
const FILES = 3 * 2;
const free = new AbortController().signal;

let dir: string;
let source: TestInstallation;
let user: Populated;
let manifest: Manifest;
let whole: string;
beforeAll(async () => {
  dir = await temporaryDir();
  source = await openInstallation(mongo);
  user = await populate(source, 'ann', 3);
  whole = (await exportToFolder(source, { account: user.account, directory: join(dir, 'whole'), signal: free })).path;
  manifest = await manifestIn(whole);
});
afterAll(async () => {
  await source.close();
  await rm(dir, { recursive: true, force: true });
});

async function manifestIn(path: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as Manifest;
}

/** Whole numbers below a bound, the same in each run; mulberry32. */
function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Stops everything at the step of this number: each record, each piece of a file, each write is one. */
function stopAt(installation: TestInstallation, step: number) {
  const stopping = new AbortController();
  let steps = 0;
  const count = () => {
    steps += 1;
    if (steps > step) stopping.abort(new Error('interrupted'));
    stopping.signal.throwIfAborted();
  };
  const { transfer, access } = installation.db;
  async function* counted<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const item of items) {
      count();
      yield item;
    }
  }
  const deps = {
    db: {
      access,
      transfer: {
        ...transfer,
        jobsOf: (account: string) => counted(transfer.jobsOf(account)),
        insert: async (...records: Parameters<typeof transfer.insert>) => {
          count();
          await transfer.insert(...records);
        },
      },
    },
    blobs: {
      ...installation.blobs,
      read: async (key: string) => counted(await installation.blobs.read(key)) as never,
      commit: async (...file: Parameters<typeof installation.blobs.commit>) => {
        count();
        await installation.blobs.commit(...file);
      },
    },
  };
  return { deps, signal: stopping.signal, steps: () => steps };
}

describe('interrupted at random points', () => {
  test('an export into a folder goes on where it was, and ends with the manifest of one that nothing interrupted', async () => {
    const options = { account: user.account, directory: join(dir, 'folder') };
    const random = randomly(SEED);
    const copied = async () => {
      const names = await readdir(join(dir, 'folder', 'ann', 'files'), { recursive: true }).catch(() => []);
      return names.filter((name) => /(input|mp3)$/.test(name)).length;
    };
    for (let time = 0; time < 20 && (await copied()) < FILES - 1; time += 1) {
      const { deps, signal } = stopAt(source, random(JOBS + FILES - (await copied())));
      await expect(exportToFolder(deps, { ...options, signal })).rejects.toThrow(/interrupted|aborted/);
    }
    const before = await copied();
    expect(before).toBeGreaterThan(0);
    const last = stopAt(source, Number.POSITIVE_INFINITY);
    const { path } = await exportToFolder(last.deps, { ...options, signal: last.signal });
    expect(await manifestIn(path)).toEqual(manifest);
    // It read the records again, and the files that were not there yet.
    expect(last.steps()).toBe(JOBS + FILES - before);
  });

  test('an archive leaves nothing of itself', async () => {
    const options = { account: user.account, directory: join(dir, 'archives'), workDir: join(dir, 'work') };
    const random = randomly(SEED);
    for (let time = 0; time < 4; time += 1) {
      // While its files are being written, or before.
      const { deps, signal } = stopAt(source, time % 2 === 0 ? JOBS + random(FILES) : random(JOBS));
      await expect(exportToDirectory(deps, { ...options, signal })).rejects.toThrow(/interrupted|aborted/);
      expect([await readdir(options.directory).catch(() => []), await readdir(options.workDir)]).toEqual([[], []]);
    }
  });

  test('an import is finished by the next one, and no file ever lies there without its record', async () => {
    const target = await openInstallation(mongo);
    onTestFinished(() => target.close());
    const options = { dryRun: false, sources: await openArchives(whole) };
    const kinds = Object.values(manifest.documents).filter((count) => count > 0).length;
    const random = randomly(SEED);
    for (let time = 0; time < 6; time += 1) {
      // Each run inserts the documents of all kinds that there are, and goes on with the files that are missing.
      const present = (await Array.fromAsync(target.blobs.recordIds())).length;
      const { deps, signal } = stopAt(target, random(kinds + FILES - present));
      await expect(importArchives(deps, { ...options, signal })).rejects.toThrow('interrupted');
      const ids = await Array.fromAsync(target.blobs.recordIds());
      expect(await target.db.jobs.existing(ids)).toEqual(new Set(ids));
    }
    await importArchives(target, { ...options, signal: free });
    const again = await exportToFolder(target, { account: user.account, directory: join(dir, 'again'), signal: free });
    expect(await manifestIn(again.path)).toEqual(manifest);
  });
});
