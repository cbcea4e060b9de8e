import type { Readable } from 'node:stream';
import type { BlobStore, SpooledFile } from '@aigolos/blob-store';
import {
  type FileExpiry,
  FileFieldsSchema,
  type FileListQuery,
  FileNameSchema,
  type FilePurpose,
  LIMITS,
  NotFoundError,
  newId,
  type StoredFilePurpose,
} from '@aigolos/contracts';
import {
  type FileRecord,
  type FilesRepository,
  isDatabaseUnavailable,
  isDuplicateKey,
  type OwnedRecords,
} from '@aigolos/db';
import { removeFile } from '@aigolos/lifecycle';
import { invalidFields } from '../../errors/invalid-fields.ts';
import type { ReceivedForm } from '../../forms/receive-form.ts';

export interface FilesDeps {
  /** What is deleted was found as its owner's before. */
  files: OwnedRecords['files'] & Pick<FilesRepository, 'delete'>;
  blobs: Pick<BlobStore, 'commit' | 'delete' | 'discard' | 'deleteRecord' | 'list' | 'read' | 'exists'>;
}

export interface NewFile {
  /** Where it follows from something else, so that it is made once. */
  id?: string;
  account: string;
  purpose: FilePurpose;
  filename: string;
  expiry?: FileExpiry | undefined;
}

/** The job that makes a file, and the claim of it that does. */
export interface MadeBy {
  job: string;
  fence: number;
}

export interface MadeFile extends Required<Pick<NewFile, 'id' | 'account' | 'filename' | 'expiry'>> {
  madeBy: MadeBy;
}

/** What an account has uploaded, and what its batches have made. Of another account's file nobody learns that it is there. */
export interface Files {
  /**
   * Keeps a file that lies in the spool; takes care of it from then on.
   * @throws where a field is wrong; nothing is left then.
   */
  upload(account: string, form: ReceivedForm): Promise<FileRecord>;
  /** The same of one that was put together here; of one that is there by now, the file that is there. */
  keep(file: SpooledFile, what: NewFile): Promise<FileRecord>;
  /** The same of one that a job has made, in the place of one that an earlier attempt of it made; never of one of a later attempt. */
  keepMade(file: SpooledFile, what: MadeFile): Promise<FileRecord>;
  /** Also one whose time has come. */
  find(account: string, id: string): Promise<FileRecord | undefined>;
  /** @throws NotFoundError */
  get(account: string, id: string): Promise<FileRecord>;
  list(account: string, query: FileListQuery): Promise<{ files: FileRecord[]; hasMore: boolean }>;
  /** @throws NotFoundError */
  content(account: string, id: string): Promise<{ file: FileRecord; stream: Readable }>;
  /** With its bytes. @throws NotFoundError */
  delete(account: string, id: string): Promise<void>;
}

export function createFiles({ files, blobs }: FilesDeps): Files {
  async function get(account: string, id: string): Promise<FileRecord> {
    const file = await files.findOwned(account, id);
    if (!file) throw noSuchFile(id);
    return file;
  }

  async function keep(spooled: SpooledFile, { id: given, account, purpose, filename, expiry }: NewFile) {
    const id = given ?? newId('file');
    const createdAt = new Date();
    const expiresAt = expiryOf(purpose, expiry, createdAt);
    const file: FileRecord = {
      _id: id,
      account,
      purpose,
      filename,
      blobKey: `${id}/content`,
      bytes: spooled.bytes,
      sha256: spooled.sha256,
      createdAt,
      ...(expiresAt && { expiresAt }),
    };
    try {
      await blobs.commit(spooled, file.blobKey);
      await files.insert(file);
      return file;
    } catch (error) {
      await blobs.discard(spooled);
      const there = isDuplicateKey(error) ? await files.findKept(account, id) : undefined;
      if (there) return there;
      // A write that the database did not answer may have taken effect, and under an id that was given somebody else may be at
      // work; the sweep removes bytes that have no record.
      if (given === undefined && !isDatabaseUnavailable(error)) await blobs.deleteRecord(id);
      throw error;
    }
  }

  async function keepMade(spooled: SpooledFile, { id, account, filename, madeBy, expiry }: MadeFile) {
    const createdAt = new Date();
    const purpose = 'batch_output';
    const expiresAt = expiryOf(purpose, expiry, createdAt);
    const blobKey = `${id}/content-${madeBy.fence}`;
    const { bytes, sha256 } = spooled;
    const file = { _id: id, account, purpose, filename, blobKey, bytes, sha256, createdAt, madeBy } as const;
    const record = { ...file, ...(expiresAt && { expiresAt }) };
    await blobs.commit(spooled, blobKey);
    const isKept = await files.putMade(record);
    // Of the attempt that was slower, or has been replaced.
    for await (const { key } of blobs.list(id)) if (isKept ? key !== blobKey : key === blobKey) await blobs.delete(key);
    return record;
  }

  return {
    get,
    keep,
    keepMade,
    find: files.findKept,
    async upload(account, { file, filename, fields: given }) {
      const parsed = FileFieldsSchema.safeParse(given);
      const named = FileNameSchema.safeParse(filename);
      if (!parsed.success || !named.success) {
        await blobs.discard(file);
        const issues = (named.error?.issues ?? []).map(({ message }) => ({ path: ['filename'], message }));
        throw invalidFields([...(parsed.error?.issues ?? []), ...issues]);
      }
      const { purpose, expires_after: expiry } = parsed.data;
      return keep(file, { account, purpose, filename: named.data, expiry });
    },
    async list(account, { after, limit, order, purpose }) {
      const last = after === undefined ? undefined : await get(account, after);
      const found = await files.list({ account, order, purpose, limit: limit + 1, after: last });
      return { files: found.slice(0, limit), hasMore: found.length > limit };
    },
    async content(account, id) {
      const file = await get(account, id);
      if (!(await blobs.exists(file.blobKey))) throw noSuchFile(id);
      return { file, stream: await blobs.read(file.blobKey) };
    },
    async delete(account, id) {
      await removeFile({ db: { files }, blobs }, await get(account, id));
    },
  };
}

/** What feeds a batch and what comes of it goes after 30 days, everything else stays. */
function expiryOf(purpose: StoredFilePurpose, expiry: FileExpiry | undefined, createdAt: Date): Date | undefined {
  const seconds =
    expiry?.seconds ?? (purpose === 'batch' || purpose === 'batch_output' ? LIMITS.fileMostSeconds : undefined);
  return seconds === undefined ? undefined : new Date(createdAt.getTime() + seconds * 1_000);
}

export function noSuchFile(id: string): NotFoundError {
  return new NotFoundError(`There is no file ${id}.`, { code: 'FILE_NOT_FOUND', param: 'file_id' });
}
