import { isDeepStrictEqual } from 'node:util';
import type { BlobStore, SpooledFile } from '@aigolos/blob-store';
import {
  LIMITS,
  NotFoundError,
  newId,
  type UploadCompletion,
  type UploadRequest,
  ValidationError,
} from '@aigolos/contracts';
import type { FileRecord, OwnedRecords, UploadRecord } from '@aigolos/db';
import { type Files, noSuchFile } from '../files/files.service.ts';
import { assemble } from './assemble.ts';

export interface UploadsDeps {
  uploads: OwnedRecords['uploads'];
  files: Pick<Files, 'keep' | 'find'>;
  blobs: Pick<BlobStore, 'read' | 'receive' | 'commit' | 'discard' | 'delete' | 'deleteRecord' | 'exists'>;
  /** Of a whole file. */
  maxBytes: number;
}

export interface UploadPart {
  id: string;
  upload: string;
  createdAt: Date;
}

/** Files that come in parts. What is not completed within an hour is gone, with its parts. */
export interface Uploads {
  begin(account: string, request: UploadRequest): Promise<UploadRecord>;
  /**
   * Adds a part that lies in the spool; takes care of it from then on. Parts may come side by side, in any order.
   * @throws where the upload takes none; nothing is left of it then.
   */
  addPart(account: string, id: string, part: SpooledFile): Promise<UploadPart>;
  /**
   * Makes these parts, in this order, one file. Again with the same parts, also at once, it is the same file.
   * @throws ValidationError where the whole is not what was announced; the upload stays as it is then.
   */
  complete(
    account: string,
    id: string,
    completion: UploadCompletion,
  ): Promise<{ upload: UploadRecord; file: FileRecord }>;
  /** Harmless twice. @throws ValidationError once it is completed. */
  cancel(account: string, id: string): Promise<UploadRecord>;
}

/** A part whose answer was lost is sent again: so many times its bytes an upload may have in parts. */
const PARTS_PER_BYTE = 2;

export function createUploads({ uploads, files, blobs, maxBytes }: UploadsDeps): Uploads {
  async function get(account: string, id: string): Promise<UploadRecord> {
    const upload = await uploads.findOwned(account, id);
    if (upload) return upload;
    throw new NotFoundError(`There is no upload ${id}; one that is not completed within an hour is gone.`, {
      code: 'UPLOAD_NOT_FOUND',
      param: 'upload_id',
    });
  }

  async function store(account: string, upload: string, part: SpooledFile): Promise<UploadPart> {
    const seen = await get(account, upload);
    if (seen.status !== 'pending') throw notPending(seen);
    const id = newId('uploadPart');
    const blobKey = `${upload}/${id}`;
    await blobs.commit(part, blobKey);
    const bytes = PARTS_PER_BYTE * seen.bytes + LIMITS.uploadPartBytes;
    const most = { parts: LIMITS.uploadParts, bytes };
    if (await uploads.addPart(account, upload, { part: { id, blobKey, bytes: part.bytes }, most })) {
      return { id, upload, createdAt: new Date() };
    }
    await blobs.delete(blobKey);
    const now = await get(account, upload);
    if (now.status !== 'pending') throw notPending(now);
    throw new ValidationError(
      `Upload ${upload} takes no more parts: ${LIMITS.uploadParts} at most, and ${bytes} bytes together.`,
      { param: 'data' },
    );
  }

  /** The file of an upload whose parts were chosen: made once, however often it is asked for. */
  async function fileOf(upload: UploadRecord, make: () => Promise<SpooledFile>): Promise<FileRecord> {
    const id = fileIdOf(upload._id);
    const { account, purpose, filename, fileExpiry: expiry } = upload;
    const keep = async () => files.keep(await make(), { id, account, purpose, filename, expiry });
    const file =
      (await files.find(account, id)) ??
      (await keep().catch(async (error: unknown) => {
        // Who completes it at the same moment removes the parts once the file is there.
        const made = await files.find(account, id);
        if (made) return made;
        throw (await partsAreThere(upload)) ? error : noSuchFile(id);
      }));
    await blobs.deleteRecord(upload._id);
    return file;
  }

  /** They go once the file is there, which its owner may have deleted since. */
  async function partsAreThere({ parts, partIds = [] }: UploadRecord): Promise<boolean> {
    const used = parts.filter(({ id }) => partIds.includes(id));
    return (await Promise.all(used.map(({ blobKey }) => blobs.exists(blobKey)))).every(Boolean);
  }

  async function complete(
    account: string,
    id: string,
    completion: UploadCompletion,
  ): Promise<{ upload: UploadRecord; file: FileRecord }> {
    const { part_ids: partIds, md5 } = completion;
    const upload = await get(account, id);
    const isAnother = upload.partIds && !isDeepStrictEqual(upload.partIds, partIds);
    if (upload.status === 'cancelled' || isAnother) throw notPending(upload);
    const parts = partsOf(upload, partIds);
    if (upload.partIds) return { upload, file: await fileOf(upload, () => assemble(blobs, parts, upload)) };
    // Before it is ended, so that a wrong order or digest leaves it open.
    const whole = await assemble(blobs, parts, { bytes: upload.bytes, md5 });
    try {
      // Somebody else may have ended it meanwhile, in one way or the other.
      if (!(await uploads.end(account, id, { status: 'completed', partIds })))
        return await complete(account, id, completion);
      const ended = { ...upload, status: 'completed' as const, partIds };
      return { upload: ended, file: await fileOf(ended, () => Promise.resolve(whole)) };
    } finally {
      await blobs.discard(whole);
    }
  }

  return {
    complete,
    async begin(account, { filename, purpose, bytes, expires_after: fileExpiry }) {
      if (bytes > maxBytes) {
        throw new ValidationError(`bytes must be at most ${maxBytes}, not ${bytes}.`, { param: 'bytes' });
      }
      const createdAt = new Date();
      const upload: UploadRecord = {
        _id: newId('upload'),
        account,
        filename,
        purpose,
        bytes,
        ...(fileExpiry && { fileExpiry }),
        status: 'pending',
        parts: [],
        receivedBytes: 0,
        createdAt,
        expiresAt: new Date(createdAt.getTime() + LIMITS.uploadSeconds * 1_000),
      };
      await uploads.insert(upload);
      return upload;
    },

    async addPart(account, id, part) {
      try {
        return await store(account, id, part);
      } finally {
        await blobs.discard(part);
      }
    },

    async cancel(account, id) {
      const upload = await get(account, id);
      if (upload.status === 'pending' && (await uploads.end(account, id, { status: 'cancelled' }))) {
        await blobs.deleteRecord(id);
        return { ...upload, status: 'cancelled' };
      }
      const now = await get(account, id);
      if (now.status !== 'cancelled') throw notPending(now);
      return now;
    },
  };
}

/** One upload is one file, so that completing it twice finds the file that is there. */
function fileIdOf(upload: string): string {
  return upload.replace(/^upload_/, 'file_');
}

function partsOf({ _id, parts }: UploadRecord, ids: string[]): UploadRecord['parts'] {
  const known = new Map(parts.map((part) => [part.id, part]));
  const seen = new Set<string>();
  return ids.map((id) => {
    const part = known.get(id);
    if (!part) throw new ValidationError(`part_ids: upload ${_id} has no part ${id}.`, { param: 'part_ids' });
    if (seen.size === seen.add(id).size) {
      throw new ValidationError(`part_ids names ${id} twice.`, { param: 'part_ids' });
    }
    return part;
  });
}

function notPending({ _id: id, status }: UploadRecord): ValidationError {
  const why = status === 'completed' ? 'completed, of other parts or before this call' : status;
  return new ValidationError(`Upload ${id} is ${why}.`, { code: 'UPLOAD_NOT_PENDING' });
}
