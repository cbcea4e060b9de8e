import { access, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export const UNFINISHED_SUFFIX = '.unfinished';
const FOLDER = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z(\.unfinished)?$/;
const DAY_MS = 24 * 60 * 60_000;

/** The name of a backup's folder: the time that it was due, such as `20260102T023000Z`. */
export function folderOfSlot(slot: Date): string {
  return slot.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What is in a backup directory and was made by backups, newest first. */
export async function backupsIn(directory: string): Promise<{ name: string; slot: Date; isWhole: boolean }[]> {
  const names = await readdir(directory);
  const found = names.flatMap((name) => {
    const [, year, month, day, hour, minute, second, unfinished] = FOLDER.exec(name) ?? [];
    if (year === undefined) return [];
    const slot = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    return [{ name, slot, isWhole: unfinished === undefined }];
  });
  return found.toSorted((a, b) => b.slot.getTime() - a.slot.getTime());
}

/**
 * Deletes what a backup directory holds beyond the newest `keep` whole backups, what is older than `maxAgeDays`, and halves that
 * a newer one has made needless. The newest whole one stays, however old it is.
 * @returns the names of what was deleted.
 */
export async function pruneBackups(
  directory: string,
  { keep, maxAgeDays, now }: { keep: number; maxAgeDays: number; now: Date },
): Promise<string[]> {
  const backups = await backupsIn(directory);
  const whole = backups.filter(({ isWhole }) => isWhole);
  const oldest = now.getTime() - maxAgeDays * DAY_MS;
  const kept = new Set(whole.slice(0, keep).filter(({ slot }, index) => index === 0 || slot.getTime() >= oldest));
  const [newest] = whole;
  const surplus = backups.filter((backup) => {
    return backup.isWhole ? !kept.has(backup) : newest !== undefined && backup.slot <= newest.slot;
  });
  for (const { name } of surplus) await rm(join(directory, name), { recursive: true, force: true });
  return surplus.map(({ name }) => name);
}
