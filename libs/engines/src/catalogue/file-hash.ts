import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface Fingerprint {
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
}

/** Size and hash of a file, or of a folder with all that is in it. */
export async function fingerprint(path: string, signal?: AbortSignal): Promise<Fingerprint> {
  const { isDirectory, size } = await stat(path).then((stats) => ({
    isDirectory: stats.isDirectory(),
    size: stats.size,
  }));
  return isDirectory ? folderFingerprint(path, signal) : { bytes: size, sha256: await fileHash(path, signal) };
}

/** The hash of a folder is that of its listing: a line `path sha256` for each file, sorted by path. */
async function folderFingerprint(folder: string, signal?: AbortSignal): Promise<Fingerprint> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines: string[] = [];
  let bytes = 0;
  for (const file of files) {
    bytes += (await stat(file)).size;
    lines.push(`${relative(folder, file).split(sep).join('/')} ${await fileHash(file, signal)}`);
  }
  return { bytes, sha256: createHash('sha256').update(lines.toSorted().join('\n')).digest('hex') };
}

async function fileHash(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal });
  return hash.digest('hex');
}
