import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ValidationError } from '@aigolos/contracts';

/** A file on local disk that is whole but not yet a blob: look at it, then commit or discard it. */
export interface SpooledFile {
  path: string;
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
}

/**
 * Streams a source to local disk, hashing on the way, in constant memory. Whatever ends it early, nothing is left.
 * @throws ValidationError `AUDIO_TOO_LARGE` past `maxBytes`; what the source raised when it was cut off.
 */
export async function spool(
  source: Readable,
  options: { dir: string; maxBytes: number; signal?: AbortSignal | undefined },
): Promise<SpooledFile> {
  // A source that is cut off before the pipeline listens to it would end the process; the pipeline sees it all the same.
  source.on('error', () => {});
  await mkdir(options.dir, { recursive: true });
  const path = join(options.dir, randomUUID());
  const hash = createHash('sha256');
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > options.maxBytes) return done(tooLarge(options.maxBytes));
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(source, meter, createWriteStream(path, { mode: 0o600 }), { signal: options.signal });
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { path, bytes, sha256: hash.digest('hex') };
}

/** Removes what killed processes left in the spool. */
export async function sweepSpool(dir: string, olderThanMs: number): Promise<number> {
  const names = await readdir(dir).catch(() => []);
  let removed = 0;
  for (const name of names) {
    const path = join(dir, name);
    const info = await stat(path).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > olderThanMs) {
      await rm(path, { recursive: true, force: true });
      removed += 1;
    }
  }
  return removed;
}

function tooLarge(maxBytes: number): ValidationError {
  return new ValidationError(`The file is larger than the limit of ${maxBytes} bytes.`, {
    code: 'AUDIO_TOO_LARGE',
    param: 'file',
  });
}
