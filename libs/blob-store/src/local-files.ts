import { mkdir, readdir, rename, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobEntry } from './blob-store.ts';

/** Moves a file within one file system, whole or not at all; replaces what lies there. */
export async function moveInto(from: string, to: string): Promise<void> {
  const move = async () => {
    await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
  };
  // A folder that was empty may have been removed between the two steps.
  await move().catch((error: unknown) => (isMissing(error) ? move() : Promise.reject(error as Error)));
}

/** All files of a folder and of those in it, by their paths below `root`; none where there is no such folder. */
export async function* filesBelow(root: string, folder: string): AsyncGenerator<BlobEntry> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(noneWhereMissing);
  for (const entry of entries) {
    const key = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      yield* filesBelow(root, key);
    } else {
      const info = await stat(join(root, key)).catch(noneWhereMissing);
      if ('size' in info) yield { key, bytes: info.size };
    }
  }
}

/** Removes the folder of a file that is gone, if nothing else lies in it. */
export async function removeEmptyFolder(folder: string): Promise<void> {
  await rmdir(folder).catch(() => {});
}

function noneWhereMissing(error: unknown): [] {
  if (isMissing(error)) return [];
  throw error;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
