import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ArchiveSource } from './archive-source.ts';
import { JOURNAL_NAME, openFolder } from './folder-reader.ts';
import { MANIFEST_NAME } from './manifest.ts';
import { refuse } from './refusal.ts';
import { ARCHIVE_SUFFIX } from './tar-format.ts';
import { openTarArchive } from './tar-reader.ts';

/**
 * Opens what lies at a path: one user's `.tar.zst` or folder, or a directory of such, as an export or a backup makes them.
 * @throws ValidationError `ARCHIVE_INVALID` where it is none of these, or holds something else.
 */
export async function openArchives(path: string): Promise<ArchiveSource[]> {
  const info = await lstat(path).catch(() => undefined);
  if (info?.isFile()) return [await openTarArchive(path)];
  if (!info?.isDirectory()) throw refuse(path, 'there is no such file or directory');
  const entries = await readdir(path, { withFileTypes: true });
  if (entries.some(({ name }) => name === MANIFEST_NAME || name === JOURNAL_NAME)) return [await openFolder(path)];
  if (entries.length === 0) throw refuse(path, 'it is empty');
  const sources: ArchiveSource[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) sources.push(await openFolder(inside));
    else if (entry.isFile() && entry.name.endsWith(ARCHIVE_SUFFIX)) sources.push(await openTarArchive(inside));
    else throw refuse(basename(path), `${entry.name} is no export`);
  }
  return sources;
}
