import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type { FileRecord } from '../models/file.model.ts';
import { byId } from './by-id.ts';
import { newer, notYet, older } from './page.ts';

/** Which files a cleanup looks at. */
export interface OldFilesFilter {
  createdBefore: Date;
  account?: string | undefined;
}

export interface FileListFilter {
  account: string;
  limit: number;
  order: 'asc' | 'desc';
  purpose?: string | undefined;
  /** The last record of the page before. */
  after?: Pick<FileRecord, '_id' | 'createdAt'> | undefined;
}

/** What the removal of a file has to know of it. */
export type RemovableFile = Pick<FileRecord, '_id' | 'account' | 'bytes' | 'createdAt'>;

export interface FilesRepository {
  insert(file: FileRecord): Promise<void>;
  /** Adds a file that a job has made, in the place of one that an earlier claim of it made. @returns false where a later one has. */
  putMade(file: FileRecord & Required<Pick<FileRecord, 'madeBy'>>): Promise<boolean>;
  /** Ids of those that a job has made. */
  madeBy(job: string): Promise<string[]>;
  /** Anybody's. */
  find(id: string): Promise<FileRecord | undefined>;
  /** Nothing where it is another account's; also one whose time has come. */
  findKept(account: string, id: string): Promise<FileRecord | undefined>;
  /** Nothing where it is another account's, or its time has come. */
  findOwned(account: string, id: string): Promise<FileRecord | undefined>;
  /** Without those whose time has come. */
  list(filter: FileListFilter): Promise<FileRecord[]>;
  /** @returns whether it was there. */
  delete(id: string): Promise<boolean>;
  existing(ids: string[]): Promise<Set<string>>;
  /** Some of those that an account has. */
  idsOf(account: string, limit: number): Promise<string[]>;
  /** Those whose time has come. */
  expiredBefore(time: Date): AsyncIterable<RemovableFile>;
  /** Longest ago first. */
  createdBefore(filter: OldFilesFilter): AsyncIterable<RemovableFile>;
  /** Everybody's. */
  all(): AsyncIterable<Pick<FileRecord, '_id' | 'blobKey'>>;
}

const READ_AT_ONCE = 500;
const REMOVAL_FIELDS = { account: 1, bytes: 1, createdAt: 1 } as const;

export function createFilesRepository(File: Model<FileRecord>): FilesRepository {
  return {
    async insert(file) {
      await File.create(file);
    },
    async putMade(file) {
      const { _id, ...fields } = file;
      const earlier = { _id, 'madeBy.job': file.madeBy.job, 'madeBy.fence': { $lte: file.madeBy.fence } };
      if ((await File.updateOne(earlier, { $set: fields })).matchedCount === 1) return true;
      try {
        await File.create(file);
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    madeBy: async (job) => (await File.find({ 'madeBy.job': job }, { _id: 1 }).lean()).map(({ _id }) => _id),
    find: async (id) => (await File.findOne({ _id: id }).lean()) ?? undefined,
    findKept: async (account, id) => (await File.findOne(byId<FileRecord>(id, { account })).lean()) ?? undefined,
    findOwned: async (account, id) =>
      (await File.findOne({ ...byId<FileRecord>(id, { account }), expiresAt: notYet() }).lean()) ?? undefined,
    list({ account, limit, order, purpose, after }) {
      const place = order === 'asc' ? newer(after) : older(after);
      const direction = order === 'asc' ? 1 : -1;
      return File.find({
        account,
        ...(purpose !== undefined && { purpose: purpose as never }),
        expiresAt: notYet(),
        ...place,
      })
        .sort({ createdAt: direction, _id: direction })
        .limit(limit)
        .lean();
    },
    delete: async (id) => (await File.deleteOne({ _id: id })).deletedCount === 1,
    async existing(ids) {
      const found = await File.find({ _id: { $in: ids } }, { _id: 1 }).lean();
      return new Set(found.map(({ _id }) => _id));
    },
    async idsOf(account, limit) {
      return (await File.find({ account }, { _id: 1 }).limit(limit).lean()).map(({ _id }) => _id);
    },
    expiredBefore: (time) =>
      File.find({ expiresAt: { $lte: time } }, REMOVAL_FIELDS)
        .lean()
        .cursor({ batchSize: READ_AT_ONCE }),
    createdBefore: ({ createdBefore, account }) =>
      File.find({ createdAt: { $lt: createdBefore }, ...(account !== undefined && { account }) }, REMOVAL_FIELDS)
        .sort({ createdAt: 1, _id: 1 })
        .lean()
        .cursor({ batchSize: READ_AT_ONCE }),
    all: () => File.find({}, { blobKey: 1 }).lean().cursor({ batchSize: READ_AT_ONCE }),
  };
}
