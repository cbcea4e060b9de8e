import type { BlobEntry } from '@aigolos/blob-store';
import type { ExportDeps } from './snapshot.ts';
import type { OnProgress } from './summary.ts';

/** A file that was deleted since it was listed is left out, as if it had been deleted before. */
export async function readUnlessGone(
  blobs: ExportDeps['blobs'],
  key: string,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    return await blobs.read(key);
  } catch (error) {
    if (await blobs.exists(key)) throw error;
    return undefined;
  }
}

/** Counts bytes of files as they are read, towards the sum of all. */
export function countBytes(blobs: BlobEntry[], onProgress: OnProgress = () => {}): (bytes: number) => void {
  const total = blobs.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  onProgress(0, total);
  return (bytes) => {
    done += bytes;
    onProgress(done, total);
  };
}
