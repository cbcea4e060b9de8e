import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BlobStore, SpooledFile } from '@aigolos/blob-store';
import { ValidationError } from '@aigolos/contracts';
import type { UploadRecord } from '@aigolos/db';

/** What a file that is put together must be: so long, and where the client says it, with this digest. */
export interface Expected {
  bytes: number;
  md5?: string | undefined;
}

/**
 * Puts parts together, in this order, in memory that does not grow with them. The caller must commit or discard the file.
 * @throws ValidationError where the whole is not what is expected; nothing is left then.
 */
export async function assemble(
  blobs: Pick<BlobStore, 'read' | 'receive' | 'discard'>,
  parts: UploadRecord['parts'],
  { bytes, md5 }: Expected,
): Promise<SpooledFile> {
  const total = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (total !== bytes) {
    throw new ValidationError(`The parts have ${total} bytes together; the upload was begun for ${bytes}.`, {
      param: 'part_ids',
    });
  }
  const hash = createHash('md5');
  async function* content() {
    for (const { blobKey } of parts) {
      for await (const chunk of await blobs.read(blobKey)) {
        hash.update(chunk as Buffer);
        yield chunk as Buffer;
      }
    }
  }
  const file = await blobs.receive(Readable.from(content()), { maxBytes: bytes });
  const digest = hash.digest('hex');
  if (md5 === undefined || md5.toLowerCase() === digest) return file;
  await blobs.discard(file);
  throw new ValidationError(`The MD5 digest of the parts in this order is ${digest}, not ${md5}.`, { param: 'md5' });
}
