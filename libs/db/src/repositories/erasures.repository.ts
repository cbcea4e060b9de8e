import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type { ErasureItemRecord, SigningKeyRecord } from '../models/erasure.model.ts';

export type ErasureItem = Pick<ErasureItemRecord, 'kind' | 'item'>;
export type PostponedItem = ErasureItem & { reason: string; attempts: number };

export interface ErasuresRepository {
  /** Writes down what an erasure is about to remove; what it has written down already stays as it is. */
  note(erasure: string, kind: string, items: string[]): Promise<void>;
  /** It could not be removed yet. It must have been noted. */
  postpone(erasure: string, { kind, item }: ErasureItem, reason: string): Promise<void>;
  /** What was postponed is gone. */
  settle(erasure: string, { kind, item }: ErasureItem): Promise<void>;
  /** What could not be removed yet, least tried first. */
  postponed(erasure: string, limit: number): Promise<PostponedItem[]>;
  /** Everything noted, by kind and then by id. */
  items(erasure: string): AsyncIterable<ErasureItem>;
  /** What finished erasures have removed of late, without files. */
  finished(): AsyncIterable<ErasureItem & { erasure: string }>;
  /** The list is no longer needed after that time. */
  forgetAt(erasure: string, time: Date): Promise<void>;
  /** The installation's signing key; `make` is asked for one where there is none. Of several at once one is kept. */
  signingKey(make: () => Promise<Omit<SigningKeyRecord, '_id'>>): Promise<SigningKeyRecord>;
}

const SIGNING_KEY = 'signing-key';

export function createErasuresRepository(
  Item: Model<ErasureItemRecord>,
  SigningKey: Model<SigningKeyRecord>,
): ErasuresRepository {
  const idOf = (erasure: string, { kind, item }: ErasureItem) => `${erasure}/${kind}/${item}`;
  return {
    async note(erasure, kind, items) {
      if (items.length === 0) return;
      const records = items.map((item) => ({ _id: idOf(erasure, { kind, item }), erasure, kind, item, attempts: 0 }));
      await Item.insertMany(records, { ordered: false, lean: true }).catch((error: unknown) => {
        if (!isDuplicateKey(error)) throw error;
      });
    },
    async postpone(erasure, item, reason) {
      await Item.updateOne({ _id: idOf(erasure, item) }, { $set: { reason }, $inc: { attempts: 1 } });
    },
    async settle(erasure, item) {
      await Item.updateOne({ _id: idOf(erasure, item) }, { $unset: { reason: 1 } });
    },
    async postponed(erasure, limit) {
      const found = await Item.find({ erasure, reason: { $exists: true } })
        .sort({ attempts: 1 })
        .limit(limit)
        .lean();
      return found.map(({ kind, item, reason = '', attempts }) => ({ kind, item, reason, attempts }));
    },
    items: (erasure) => Item.find({ erasure }, { kind: 1, item: 1 }).sort({ kind: 1, item: 1 }).lean().cursor(),
    finished: () =>
      Item.find({ forgetAt: { $gt: new Date(0) }, kind: { $ne: 'file' } }, { erasure: 1, kind: 1, item: 1 })
        .lean()
        .cursor(),
    async forgetAt(erasure, time) {
      await Item.updateMany({ erasure }, { $set: { forgetAt: time } });
    },

    async signingKey(make) {
      const found = await SigningKey.findOne({ _id: SIGNING_KEY }).lean();
      if (found) return found;
      const made = { _id: SIGNING_KEY, ...(await make()) };
      return SigningKey.create(made).then(
        () => made,
        async (error: unknown) => {
          if (!isDuplicateKey(error)) throw error;
          return SigningKey.findOne({ _id: SIGNING_KEY }).lean().orFail();
        },
      );
    },
  };
}
