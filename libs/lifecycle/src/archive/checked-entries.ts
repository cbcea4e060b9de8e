import { messageOf } from '@aigolos/runtime';
import type { ArchiveSource, RawEntry } from './archive-source.ts';
import type { ArchivedFile } from './manifest.ts';
import { metered } from './metered.ts';
import { refuse } from './refusal.ts';

/** An entry that the manifest lists. Its content fails at its end where it is not what the manifest says. */
export interface CheckedEntry extends ArchivedFile {
  content: AsyncIterable<Uint8Array>;
}

const WHAT: Record<string, string> = {
  link: 'a hard link',
  symlink: 'a symbolic link',
  directory: 'a folder',
  'character-device': 'a device',
  'block-device': 'a device',
  fifo: 'a pipe',
};

/**
 * The entries of an archive as its manifest lists them: all of them, nothing else, in its order. What of an entry nobody
 * has read is read and checked before the next one.
 * @throws ValidationError `ARCHIVE_INVALID`, naming the entry and what is wrong with it.
 */
export async function* checkedEntries(source: ArchiveSource): AsyncGenerator<CheckedEntry> {
  const { name, manifest } = source;
  let next = 0;
  for await (const entry of source.entries()) {
    const file = manifest.files[next];
    checkHeader({ name, entry, file, files: manifest.files });
    next += 1;
    const content = checkedContent(name, entry, file as ArchivedFile);
    yield { ...(file as ArchivedFile), content };
    for await (const _ of content);
  }
  const missing = manifest.files[next];
  if (missing) throw refuse(name, `${missing.path} is missing`);
}

function checkHeader(check: {
  name: string;
  entry: RawEntry;
  file: ArchivedFile | undefined;
  files: ArchivedFile[];
}): void {
  const { name, entry, file, files } = check;
  const { path, type, bytes } = entry;
  const shown = JSON.stringify(path);
  if (type !== 'file') throw refuse(name, `${shown} is ${WHAT[type] ?? 'of an unknown type'}, not a plain file`);
  if (path.startsWith('/') || path.includes('\\')) throw refuse(name, `${shown} is an absolute path`);
  if (path.split('/').includes('..')) throw refuse(name, `${shown} points out of the archive`);
  if (path !== file?.path) {
    const place = files.findIndex((listed) => listed.path === path);
    if (place === -1) throw refuse(name, `${shown} is not listed in its manifest`);
    const at = file ? files.indexOf(file) : files.length;
    throw refuse(name, place < at ? `${shown} comes twice` : `${file?.path} is missing`);
  }
  if (bytes !== file.bytes) {
    throw refuse(name, `${shown} has ${bytes} bytes where its manifest says ${file.bytes}`);
  }
}

async function* checkedContent(name: string, entry: RawEntry, file: ArchivedFile): AsyncGenerator<Uint8Array> {
  const { stream, measured } = metered(entry.content);
  try {
    yield* stream;
  } catch (error) {
    throw refuse(name, `${file.path} cannot be read to its end (${messageOf(error)})`);
  }
  const { bytes, sha256 } = measured();
  if (bytes !== file.bytes) throw refuse(name, `${file.path} ends after ${bytes} of ${file.bytes} bytes`);
  if (sha256 !== file.sha256) throw refuse(name, `${file.path} is corrupt: its SHA-256 is not that of its manifest`);
}
