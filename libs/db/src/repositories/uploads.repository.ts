import type { Model } from 'mongoose';
import type { UploadPartRecord, UploadRecord } from '../models/upload.model.ts';

export interface UploadsRepository {
  insert(upload: UploadRecord): Promise<void>;
  /** Nothing where it is another account's, or its time has come. */
  findOwned(account: string, id: string): Promise<UploadRecord | undefined>;
  /** Adds a part while the upload is pending and its parts stay within these bounds. @returns whether it was added. */
  addPart(
    account: string,
    id: string,
    added: { part: UploadPartRecord; most: { parts: number; bytes: number } },
  ): Promise<boolean>;
  /** Ends a pending upload. @returns whether this call did; of several at once one does. */
  end(account: string, id: string, end: Pick<UploadRecord, 'status' | 'partIds'>): Promise<boolean>;
  delete(id: string): Promise<boolean>;
  existing(ids: string[]): Promise<Set<string>>;
  /** Some of those that an account has. */
  idsOf(account: string, limit: number): Promise<string[]>;
  /** Those whose time has come. */
  expiredBefore(time: Date): AsyncIterable<Pick<UploadRecord, '_id'>>;
}

const READ_AT_ONCE = 500;

export function createUploadsRepository(Upload: Model<UploadRecord>): UploadsRepository {
  const pending = (account: string, _id: string) => ({
    _id,
    account,
    status: 'pending' as const,
    expiresAt: { $gt: new Date() },
  });
  return {
    async insert(upload) {
      await Upload.create(upload);
    },
    findOwned: async (account, id) =>
      (await Upload.findOne({ _id: id, account, expiresAt: { $gt: new Date() } }).lean()) ?? undefined,
    async addPart(account, id, { part, most }) {
      const { matchedCount } = await Upload.updateOne(
        {
          ...pending(account, id),
          receivedBytes: { $lte: most.bytes - part.bytes },
          [`parts.${most.parts - 1}`]: { $exists: false },
        },
        { $push: { parts: part }, $inc: { receivedBytes: part.bytes } },
      );
      return matchedCount === 1;
    },
    end: async (account, id, end) => (await Upload.updateOne(pending(account, id), { $set: end })).matchedCount === 1,
    delete: async (id) => (await Upload.deleteOne({ _id: id })).deletedCount === 1,
    async existing(ids) {
      const found = await Upload.find({ _id: { $in: ids } }, { _id: 1 }).lean();
      return new Set(found.map(({ _id }) => _id));
    },
    async idsOf(account, limit) {
      return (await Upload.find({ account }, { _id: 1 }).limit(limit).lean()).map(({ _id }) => _id);
    },
    expiredBefore: (time) =>
      Upload.find({ expiresAt: { $lte: time } }, { _id: 1 })
        .lean()
        .cursor({ batchSize: READ_AT_ONCE }),
  };
}
