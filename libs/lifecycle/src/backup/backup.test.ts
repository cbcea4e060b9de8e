import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { useMongo } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  openInstallation,
  type Populated,
  populate,
  type TestInstallation,
  temporaryDir,
} from '../export/installation.fake.ts';
import { backUp, openArchives, pruneBackups } from '../index.ts';

const mongo = useMongo();
const signal = new AbortController().signal;
const SLOT = new Date('2026-03-04T02:30:00Z');
const FOLDER = '20260304T023000Z';

async function newDirectory(): Promise<string> {
  const directory = await temporaryDir();
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

describe('a backup', () => {
  let installation: TestInstallation;
  let users: Populated[];
  beforeAll(async () => {
    installation = await openInstallation(mongo);
    users = [await populate(installation, 'ann'), await populate(installation, 'Bob')];
  });
  afterAll(() => installation.close());

  test('has its name once every account is in it, readable by its owner alone; made again, it is left as it is', async () => {
    const directory = await newDirectory();
    const options = { directory, slot: SLOT, workDir: join(directory, 'work'), signal };
    await backUp(installation, options);
    const names = ['%42ob.tar.zst', 'ann.tar.zst'];
    expect((await readdir(join(directory, FOLDER))).toSorted()).toEqual(names);
    const { mode, ino, mtimeMs } = await stat(join(directory, FOLDER, 'ann.tar.zst'));
    expect(mode & 0o777).toBe(0o600);
    const archives = await openArchives(join(directory, FOLDER));
    expect(archives.map(({ manifest }) => manifest.account.username)).toEqual(['Bob', 'ann']);
    await backUp(installation, options);
    expect(await stat(join(directory, FOLDER, 'ann.tar.zst'))).toMatchObject({ ino, mtimeMs });
  });

  test('that was interrupted, or lacks an account, has no name yet, and goes on where it was', async () => {
    const directory = await newDirectory();
    const options = { directory, slot: SLOT, workDir: join(directory, 'work'), signal };
    const [, last] = users.toSorted((a, b) => (a.account < b.account ? -1 : 1));
    const lost = {
      ...installation.blobs,
      read: (key: string) => readUnless(key.startsWith(last?.jobs.speech ?? ''), key),
    };
    const readUnless = (fails: boolean, key: string) => {
      return fails ? Promise.reject(new Error('the disk is broken')) : installation.blobs.read(key);
    };
    const error = await backUp({ ...installation, blobs: lost }, options).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'EXPORT_FAILED',
      message: `The backup lacks ${last?.account} (the disk is broken).`,
    });
    const unfinished = join(directory, `${FOLDER}.unfinished`);
    const [made = ''] = await readdir(unfinished);
    expect([made, await readdir(directory)]).toEqual([
      expect.stringMatching(/zst$/),
      expect.not.arrayContaining([FOLDER]),
    ]);
    const { ino } = await stat(join(unfinished, made));
    await backUp(installation, options);
    expect(await readdir(join(directory, FOLDER))).toHaveLength(2);
    expect((await stat(join(directory, FOLDER, made))).ino).toBe(ino);
  });
});

describe('old backups', () => {
  const at = (day: number) => `202603${String(day).padStart(2, '0')}T023000Z`;
  const prune = async (names: string[], limits: { keep: number; maxAgeDays: number }) => {
    const directory = await newDirectory();
    for (const name of names) await mkdir(join(directory, name), { recursive: true });
    await pruneBackups(directory, { ...limits, now: new Date('2026-03-20T03:00:00Z') });
    return (await readdir(directory)).toSorted();
  };

  test('go by count', async () => {
    expect(await prune([at(20), at(19), at(18), at(17)], { keep: 2, maxAgeDays: 99 })).toEqual([at(19), at(20)]);
  });

  test('go by age, but the newest stays', async () => {
    expect(await prune([at(20), at(18), at(17)], { keep: 9, maxAgeDays: 2 })).toEqual([at(20)]);
    expect(await prune([at(2), at(1)], { keep: 9, maxAgeDays: 2 })).toEqual([at(2)]);
  });

  test('that were never finished go when a newer one is whole; nothing else is touched', async () => {
    const kept = [at(20), `${at(21)}.unfinished`, 'notes', '20260301'];
    expect(await prune([...kept, `${at(19)}.unfinished`], { keep: 9, maxAgeDays: 99 })).toEqual(kept.toSorted());
    expect(await prune([`${at(19)}.unfinished`], { keep: 9, maxAgeDays: 99 })).toEqual([`${at(19)}.unfinished`]);
  });
});
