import { createReadStream, type Dirent } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ArchiveSource, RawEntry } from './archive-source.ts';
import { inArchiveOrder, MANIFEST_MAX_BYTES, MANIFEST_NAME, readManifest } from './manifest.ts';
import { refuse } from './refusal.ts';

/** What an export into a folder has done so far lies in this file until it is whole. */
export const JOURNAL_NAME = '.unfinished';

/**
 * Opens an exported folder: its manifest is read now, the rest when it is asked for.
 * @throws ValidationError `ARCHIVE_INVALID` where it is unfinished, or no exported folder.
 */
export async function openFolder(path: string): Promise<ArchiveSource> {
  const name = basename(path);
  if ((await readdir(path)).includes(JOURNAL_NAME)) throw refuse(name, 'it is unfinished: run that export again first');
  const info = await lstat(join(path, MANIFEST_NAME)).catch(() => undefined);
  if (!info?.isFile()) throw refuse(name, `it has no ${MANIFEST_NAME}: it is no export`);
  if (info.size > MANIFEST_MAX_BYTES) throw refuse(name, `its ${MANIFEST_NAME} is too large`);
  await using file = await open(join(path, MANIFEST_NAME));
  const manifest = readManifest(name, await file.readFile('utf8'));
  return { name, manifest, entries: () => entriesOf(path) };
}

async function* entriesOf(root: string): AsyncGenerator<RawEntry> {
  const paths = (await Array.fromAsync(walk(root, '')))
    .filter(({ path }) => path !== MANIFEST_NAME)
    .toSorted(inArchiveOrder);
  for (const { path, type } of paths) {
    const { size } = await lstat(join(root, path));
    yield { path, type, bytes: size, content: readLazily(join(root, path)) };
  }
}

/** Everything below a folder that is not a folder itself; links are told of, not followed. */
async function* walk(root: string, folder: string): AsyncGenerator<{ path: string; type: string }> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(root, path);
    else yield { path, type: typeOf(entry) };
  }
}

function typeOf(entry: Dirent): string {
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'symlink' : 'special file';
}

/** Opened when it is read, so that nothing stays open that nobody reads. */
async function* readLazily(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path) as AsyncIterable<Uint8Array>;
}
