import { appendFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConflictError } from '@aigolos/contracts';
import { JOURNAL_NAME } from '../archive/folder-reader.ts';
import { type ArchivedFile, MANIFEST_NAME, readManifest } from '../archive/manifest.ts';

/** Which files of a folder an export has finished, so that the next one need not copy them again. */
export interface Journal {
  /** By path. */
  finished: Map<string, ArchivedFile>;
  add(file: ArchivedFile): Promise<void>;
}

/**
 * Takes up what an earlier export of this account into this folder has done, whole or not, or begins. From here until
 * `closeJournal` the folder counts as unfinished.
 * @throws ConflictError where there is something else in the folder.
 */
export async function openJournal(folder: string, account: string): Promise<Journal> {
  const path = join(folder, JOURNAL_NAME);
  const manifestPath = join(folder, MANIFEST_NAME);
  const lines = parseLines(await readFile(path, 'utf8').catch(() => ''));
  const manifest = await readFile(manifestPath, 'utf8').then(
    (text) => readManifest(folder, text),
    () => undefined,
  );
  const owner = manifest?.account.id ?? lines[0]?.account;
  if (owner === undefined ? (await readdir(folder)).some((name) => !isOurs(name)) : owner !== account) {
    throw new ConflictError(`${folder} holds something else: choose another directory.`, { code: 'EXPORT_FAILED' });
  }
  const known = [...(manifest?.files ?? []), ...lines.flatMap(({ file }) => file ?? [])];
  const finished = new Map(known.map((file) => [file.path, file]));
  const all: Line[] = [{ account }, ...[...finished.values()].map((file) => ({ file }))];
  await writeFile(`${path}.new`, all.map(toLine).join(''), { mode: 0o600 });
  await rename(`${path}.new`, path);
  await rm(manifestPath, { force: true });
  return { finished, add: (file) => appendFile(path, toLine({ file })) };
}

export async function closeJournal(folder: string): Promise<void> {
  await rm(join(folder, JOURNAL_NAME), { force: true });
}

/** The first line says whose export it is, every other one a file. */
interface Line {
  account?: string;
  file?: ArchivedFile;
}

function isOurs(name: string): boolean {
  return name === JOURNAL_NAME || name === `${JOURNAL_NAME}.new`;
}

function toLine(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

/** What a killed process left of the last line is no line. */
function parseLines(text: string): Line[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}
