import type { Readable } from 'node:stream';
import type { BlobStore } from '@aigolos/blob-store';
import { AIGolosError, NotFoundError } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';

/** Where the files of results are read from. */
export type ResultBlobs = Pick<BlobStore, 'read' | 'exists'>;

export interface ResultFile {
  type: 'file';
  contentType: string;
  bytes: number;
  stream: Readable;
}

/** A file that was made. @throws NotFoundError once it is deleted, or is to be. */
export async function readFile(
  blobs: ResultBlobs,
  { _id: id, outputExpiresAt }: Pick<JobRecord, '_id' | 'outputExpiresAt'>,
  { blobKey, contentType, bytes }: { blobKey: string; contentType: string; bytes: number },
): Promise<ResultFile> {
  // A file whose time has come is gone for its readers, though it is deleted a little later.
  const isDue = outputExpiresAt !== undefined && outputExpiresAt <= new Date();
  if (isDue || !(await blobs.exists(blobKey))) throw notAvailable(id);
  return { type: 'file', contentType, bytes, stream: await blobs.read(blobKey) };
}

export function notAvailable(id: string): NotFoundError {
  return new NotFoundError(`The result of job ${id} has been deleted.`, { code: 'RESULT_NOT_AVAILABLE' });
}

/** The header Accept takes none of the forms that there are. */
export function notAcceptable({ _id: id }: Pick<JobRecord, '_id'>, offered: string[]): AIGolosError {
  return new AIGolosError(
    `The result of job ${id} is there as ${offered.join(', ')}; the header Accept takes none of these.`,
    { code: 'RESULT_NOT_ACCEPTABLE' },
  );
}
