import { mkdir, statfs } from 'node:fs/promises';
import { CliError } from '../cli-error.ts';

/** @throws CliError where the folder's disk has less room than that. */
export async function assertRoom(folder: string, neededBytes: number, what: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const free = await freeBytes(folder);
  if (free >= neededBytes) return;
  throw new CliError(
    `The disk of ${folder} has no room for ${what}, which needs ${megabytes(neededBytes)} and has ${megabytes(free)}: free some space and run the command again.`,
  );
}

export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
}
