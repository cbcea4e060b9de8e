import { mkdir, statfs } from 'node:fs/promises';
import { UnavailableError } from '@aigolos/contracts';

/** @throws UnavailableError that says how much is needed and what is there. */
export async function assertDiskSpace(folder: string, neededBytes: number, what: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < neededBytes) throw diskFull(folder, what, { neededBytes, freeBytes: bavail * bsize });
}

export function diskFull(
  folder: string,
  what: string,
  sizes?: { neededBytes: number; freeBytes: number },
): UnavailableError {
  const known = sizes ? `, which needs ${megabytes(sizes.neededBytes)} and has ${megabytes(sizes.freeBytes)}` : '';
  return new UnavailableError(
    `The disk of ${folder} has no room for ${what}${known}: free some space, or name another folder in AIGOLOS_MODELS_DIR.`,
  );
}

export function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
