import { createHash } from 'node:crypto';
import { cp, open, readFile, rename, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { useMongo } from '@aigolos/testing';
import { type Header, pack } from 'tar-stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { folderNameOf } from '../archive/folder-name.ts';
import { MANIFEST_MAX_BYTES, type Manifest, SCHEMA_VERSION, writeManifest } from '../archive/manifest.ts';
import { writeManifestFrame, writeTrailer } from '../archive/tar-format.ts';
import {
  openInstallation,
  type Populated,
  populate,
  type TestInstallation,
  temporaryDir,
} from '../export/installation.fake.ts';
import { exportToDirectory, exportToFolder, importArchives, openArchives } from '../index.ts';

const mongo = useMongo();
const signal = new AbortController().signal;
const USERNAME = 'ann';

let dir: string;
let user: Populated;
let target: TestInstallation;
let untouched: unknown;
/** As they were exported; tests spoil copies. */
let whole: { folder: string; archive: string; manifest: Manifest };
/** A copy of the folder, for one test to spoil. */
let folder: string;
beforeAll(async () => {
  dir = await temporaryDir();
  const source = await openInstallation(mongo);
  user = await populate(source, USERNAME);
  const account = user.account;
  const { path } = await exportToFolder(source, { account, directory: join(dir, 'whole'), signal });
  const options = { account, directory: join(dir, 'packed'), workDir: dir, signal };
  const archive = (await exportToDirectory(source, options)).path;
  const [opened] = await openArchives(path);
  whole = { folder: path, archive, manifest: opened?.manifest as Manifest };
  await source.close();
  target = await openInstallation(mongo);
  await populate(target, 'somebody else');
  untouched = await target.contents();
});
afterAll(async () => {
  await target.close();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = join(dir, 'spoilt', USERNAME);
  await rm(folder, { recursive: true, force: true });
  await cp(whole.folder, folder, { recursive: true });
});

async function expectRefusal(path: string, reason: string | RegExp): Promise<void> {
  const importing = openArchives(path).then((sources) => importArchives(target, { sources, dryRun: false, signal }));
  const error = await importing.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toMatchObject({ code: 'ARCHIVE_INVALID' });
  expect((error as Error).message).toMatch(reason);
  expect(await target.contents()).toEqual(untouched);
}

const input = () => `files/${user.jobs.transcription}/input`;
const TRANSCRIPTIONS = 'documents/transcriptions.jsonl';

/** Rewrites the folder's manifest, and what it says of a file that was changed with it. */
async function rewriteManifest(change: (manifest: Manifest) => unknown): Promise<void> {
  const manifest = structuredClone(whole.manifest);
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(change(manifest) ?? manifest));
}

describe('a folder is refused, and nothing of it is taken, where', () => {
  test('a byte of a file was flipped', async () => {
    const file = await open(join(folder, input()), 'r+');
    await file.write('X', 100);
    await file.close();
    await expectRefusal(folder, `${input()} is corrupt`);
  });

  test('a file was cut short', async () => {
    await truncate(join(folder, input()), 100);
    await expectRefusal(folder, /input" has 100 bytes where its manifest says \d+/);
  });

  test('a file is missing, or one too many', async () => {
    await rename(join(folder, input()), join(folder, 'files', 'moved'));
    await expectRefusal(folder, '"files/moved" is not listed in its manifest');
    await rm(join(folder, 'files', 'moved'));
    await expectRefusal(folder, `${input()} is missing`);
  });

  test('a file is a link, even to the right content', async () => {
    await unlink(join(folder, input()));
    await symlink(join(whole.folder, input()), join(folder, input()));
    await expectRefusal(folder, 'is a symbolic link');
  });

  test('it is unfinished, or no export at all', async () => {
    await writeFile(join(folder, '.unfinished'), '');
    await expectRefusal(folder, 'it is unfinished');
    await expectRefusal(join(folder, 'files', user.jobs.speech), 'output-1.mp3 is no export');
    await expectRefusal(join(folder, 'nowhere'), 'there is no such file or directory');
  });

  test.each<[string, (manifest: Manifest) => unknown, string]>([
    [
      'a newer version made it',
      (manifest) => ({ ...manifest, schemaVersion: SCHEMA_VERSION + 1, new: true }),
      'a newer version of AIGolos',
    ],
    ['its manifest is of something else', () => ({ name: 'package' }), 'not that of an export of AIGolos'],
    ['its manifest is nothing', () => [], 'not that of an export of AIGolos'],
    [
      'its manifest leaves the folder',
      (manifest) => void manifest.files.push({ path: 'files/../../etc/passwd', bytes: 1, sha256: '0'.repeat(64) }),
      'lists "files/../../etc/passwd", which is no path of an export',
    ],
    [
      'its manifest leaves a folder by a file',
      (manifest) => void manifest.files.push({ path: `files/${user.account}/..`, bytes: 1, sha256: '0'.repeat(64) }),
      'which is no path of an export',
    ],
    ['its manifest lists a file twice', ({ files }) => void files.push(...files.slice(-1)), 'twice'],
    ['its manifest is short of documents', ({ files }) => void files.shift(), 'does not list documents/account.jsonl'],
    ['its manifest counts wrong', ({ documents }) => void (documents.transcriptions += 1), 'has 1 documents where'],
    ['its manifest is of another account', ({ account }) => void (account.id = 'acc_0'), 'is of another account'],
  ])('%s', async (_what, change, reason) => {
    await rewriteManifest(change);
    await expectRefusal(folder, reason);
  });

  test.each<[string, (line: string) => string, string]>([
    ['is not JSON', () => '{\n', 'line 1: it is not JSON'],
    ['lacks a field', (line) => line.replace('"fence":1,', ''), 'line 1: fence: '],
    [
      'has a field of its own',
      (line) => line.replace('"fence":1', '"fence":1,"webhooksPending":true'),
      'webhooksPending',
    ],
    [
      'has a result of its own',
      (line) => line.replace('"language":"en"', '"language":"en","x":1'),
      'fields that no export',
    ],
    ['has another id', (line) => line.replace(/"trl_/, '"../trl_'), 'line 1: id: '],
    ['has not ended', (line) => line.replace('"completed"', '"queued"'), 'line 1: status: '],
    ["is another account's", (line) => line.replace(/"acc_\w+"/, '"acc_0"'), 'is of another account (acc_0)'],
    ['comes twice', (line) => line + line, 'comes twice'],
    ['has no end', (line) => line.trimEnd(), 'no end'],
    ['is gone, and its file is left', () => '', 'a file of a record that the archive does not hold'],
  ])('a document %s', async (_what, change, reason) => {
    const text = change(await readFile(join(folder, TRANSCRIPTIONS), 'utf8'));
    await writeFile(join(folder, TRANSCRIPTIONS), text);
    const sha256 = createHash('sha256').update(text).digest('hex');
    await rewriteManifest(({ files, documents }) => {
      const file = files.find(({ path }) => path === TRANSCRIPTIONS);
      Object.assign(file ?? {}, { bytes: Buffer.byteLength(text), sha256 });
      documents.transcriptions = text.split('\n').length - 1;
    });
    await expectRefusal(folder, reason);
  });
});

interface CraftedEntry {
  header: Partial<Header> & { name: string };
  content?: Buffer;
}

const inTar = (path: string) => `${folderNameOf(USERNAME)}/${path}`;

/** The entries of the whole archive, to be spoilt. */
async function entries(): Promise<CraftedEntry[]> {
  return Promise.all(
    whole.manifest.files.map(async ({ path }) => {
      const content = await readFile(join(whole.folder, path));
      return { header: { name: inTar(path) }, content };
    }),
  );
}

/** An archive of these entries, in the three parts of one of ours. */
async function craft(
  crafted: CraftedEntry[],
  {
    manifest = whole.manifest,
    root = USERNAME,
    tail = Buffer.alloc(0),
  }: { manifest?: Manifest; root?: string; tail?: Buffer } = {},
): Promise<string> {
  const tar = pack();
  const read = Array.fromAsync(tar) as Promise<Buffer[]>;
  for (const { header, content } of crafted) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const whole = { mtime: new Date(0), ...header };
    if (content) tar.entry(whole, content, resolve);
    else tar.entry(whole, resolve).end(null);
    await promise;
  }
  tar.push(null);
  const body = zstdCompressSync(Buffer.concat([...(await read), tail]));
  const frame = await writeManifestFrame(root, writeManifest(manifest));
  const path = join(dir, 'crafted.tar.zst');
  await writeFile(path, Buffer.concat([body, frame, writeTrailer(body.length)]));
  return path;
}

/** Headers that only say something of the next entry, which never comes. Source of the layout: POSIX.1-2017, pax, ustar. */
function headersOfNothing(count: number): Buffer {
  const header = Buffer.alloc(512);
  header.write('././@PaxHeader', 0);
  header.write('0000000\0', 124);
  header.write('        g', 148);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat(Array.from({ length: count }, () => header));
}

describe('an archive is refused, and nothing of it is taken, where', () => {
  test('nothing is wrong with it: the control', async () => {
    const path = await craft(await entries());
    const [summary] = await importArchives(target, { sources: await openArchives(path), dryRun: true, signal });
    expect(summary).toMatchObject({ changed: true, documents: { transcriptions: { added: 1 } } });
  });

  test.each([0.1, 0.5, 0.9, 0.999])('it was cut short to %d of its length', async (part) => {
    const path = join(dir, 'cut.tar.zst');
    const bytes = await readFile(whole.archive);
    await writeFile(path, bytes.subarray(0, bytes.length * part));
    await expectRefusal(path, 'it is cut short, or was not made by aigolos export');
  });

  test.each([0.05, 0.3, 0.6, 0.8])('a bit was flipped at %d of its length', async (part) => {
    const path = join(dir, 'flipped.tar.zst');
    const bytes = await readFile(whole.archive);
    const at = Math.floor(bytes.length * part);
    bytes[at] = (bytes[at] ?? 0) ^ 0b100;
    await writeFile(path, bytes);
    await expectRefusal(path, /cannot be read|is corrupt|, line \d+: /);
  });

  test('its beginning was cut off', async () => {
    const path = join(dir, 'headless.tar.zst');
    await writeFile(path, (await readFile(whole.archive)).subarray(40));
    await expectRefusal(path, /its manifest cannot be read/);
  });

  test('a newer version made it', async () => {
    const newer: Manifest = { ...whole.manifest, schemaVersion: 7 };
    await expectRefusal(
      await craft(await entries(), { manifest: newer }),
      `schema version 7; this one reads up to ${SCHEMA_VERSION}`,
    );
  });

  test('its manifest lies in the folder of somebody else', async () => {
    await expectRefusal(await craft(await entries(), { root: 'root' }), 'its folder "root" is not that of ann');
  });

  test('its manifest is a bomb', async () => {
    const frame = zstdCompressSync(Buffer.alloc(MANIFEST_MAX_BYTES + 1));
    const path = join(dir, 'bomb.tar.zst');
    await writeFile(path, Buffer.concat([Buffer.alloc(8), frame, writeTrailer(8)]));
    await expectRefusal(path, 'its manifest cannot be read');
  });

  test.each<[string, () => Buffer]>([
    ['nothing, a hundred megabytes of it', () => Buffer.alloc(100 * 1024 ** 2)],
    ['headers of nothing', () => headersOfNothing(200_000)],
  ])('it inflates to more than it lists: %s', async (_what, bomb) => {
    await expectRefusal(await craft(await entries(), { tail: bomb() }), 'inflates to more than its manifest lists');
  });

  const last = (crafted: CraftedEntry[]) => crafted.at(-1) as CraftedEntry;
  test.each<[string, (crafted: CraftedEntry[]) => unknown, string]>([
    [
      'an entry points out of it',
      (all) => void (last(all).header.name = 'ann/../../etc/cron.d/x'),
      'points out of the archive',
    ],
    ['an entry has an absolute path', (all) => void (last(all).header.name = '/etc/passwd'), 'is an absolute path'],
    [
      'an entry is a symbolic link',
      (all) => all.splice(-1, 1, { header: { name: last(all).header.name, type: 'symlink', linkname: '/etc/passwd' } }),
      'is a symbolic link',
    ],
    [
      'an entry is a hard link',
      (all) =>
        all.splice(-1, 1, { header: { name: last(all).header.name, type: 'link', linkname: inTar(TRANSCRIPTIONS) } }),
      'is a hard link',
    ],
    [
      'an entry is a device',
      (all) => all.splice(-1, 1, { header: { name: last(all).header.name, type: 'block-device', devmajor: 8 } }),
      'is a device',
    ],
    ['an entry comes twice', (all) => all.splice(-1, 0, all[2] as CraftedEntry), 'comes twice'],
    [
      'an entry is not listed',
      (all) => all.push({ header: { name: 'ann/extra' }, content: Buffer.of(1) }),
      'is not listed',
    ],
    [
      'an entry lies outside',
      (all) => all.unshift({ header: { name: 'x' }, content: Buffer.of(1) }),
      '"x" is not listed',
    ],
    ['an entry is missing', (all) => all.splice(2, 1), 'documents/conversations.jsonl is missing'],
    ['the last entry is missing', (all) => all.pop(), '/input is missing'],
    ['an entry has other content', (all) => last(all).content?.fill('x'), '/input is corrupt'],
    [
      'an entry is larger than its manifest says',
      (all) =>
        Object.assign(
          last(all),
          { content: Buffer.alloc(2 ** 24) },
          { header: { ...last(all).header, size: 2 ** 24 } },
        ),
      'has 16777216 bytes where its manifest says',
    ],
  ])('%s', async (_what, spoil, reason) => {
    const crafted = await entries();
    spoil(crafted);
    await expectRefusal(await craft(crafted), reason);
  });
});
