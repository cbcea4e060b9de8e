import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { folderNameOf } from '../archive/folder-name.ts';
import { ARCHIVE_SUFFIX } from '../archive/tar-format.ts';
import { backupsIn, exists, UNFINISHED_SUFFIX } from './slots.ts';

/** A user's archive in one backup. */
export interface BackedUpArchive {
  /** The backup's folder, such as `20260102T023000Z`. */
  backup: string;
  paths: string[];
}

/** A user's archives in all backups of a directory, whole or not; none where the directory is not there yet. */
export async function archivesOfUser(directory: string, username: string): Promise<BackedUpArchive[]> {
  if (!(await exists(directory))) return [];
  const name = `${folderNameOf(username)}${ARCHIVE_SUFFIX}`;
  const found: BackedUpArchive[] = [];
  for (const { name: backup } of await backupsIn(directory)) {
    const paths: string[] = [];
    for (const file of [name, `${name}${UNFINISHED_SUFFIX}`]) {
      const path = join(directory, backup, file);
      if (await exists(path)) paths.push(path);
    }
    if (paths.length > 0) found.push({ backup, paths });
  }
  return found;
}

export async function removeArchive({ paths }: BackedUpArchive): Promise<void> {
  for (const path of paths) await rm(path, { force: true });
}
