import type { Role, Scope } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import { isSameHash, makeApiKey, readApiKey } from '../api-key.ts';
import type { AccountRecord, ApiKeyRecord } from '../models/access.model.ts';
import { notYet, older, type PageFilter } from './page.ts';

/** A key and whose it is. Whether it may be used is another question. */
export interface KeyHolder {
  key: ApiKeyRecord;
  account: AccountRecord;
}

export interface NewApiKey {
  account: string;
  role: Role;
  label: string;
  scopes?: Scope[] | undefined;
  expiresAt?: Date | undefined;
  createdBy?: string | undefined;
}

export interface ApiKeysRepository {
  /** A new key. It is returned this once; only its hash is kept. Forgets keys of the account that ended long ago. */
  createKey(options: NewApiKey): Promise<{ key: string; record: ApiKeyRecord }>;
  /** Whose key this is. @throws AuthError of a mistyped one, for which the database is not asked. */
  findHolder(key: string): Promise<KeyHolder | undefined>;
  /** Those of these keys that are there, by their ids. */
  holdersOf(keys: string[]): Promise<Map<string, KeyHolder>>;
  /** Notes that it was used, unless that was noted a moment ago. */
  noteKeyUse(key: Pick<ApiKeyRecord, '_id' | 'lastUsedAt'>): Promise<void>;
  findOwnedKey(account: string, id: string): Promise<ApiKeyRecord | undefined>;
  /** Whose key it is: for operators, who may not know. */
  accountOfKey(id: string): Promise<string | undefined>;
  /** Newest first. */
  listKeys(filter: { account: string } & PageFilter): Promise<ApiKeyRecord[]>;
  /** Those of an account that are neither revoked nor expired. */
  countUsableKeys(account: string): Promise<number>;
  /** Harmless twice; answers the key as it is then. */
  revokeKey(account: string, id: string): Promise<ApiKeyRecord | undefined>;
  /** Ids of an account's keys. */
  keyIds(account: string): Promise<string[]>;
  deleteKeys(account: string): Promise<number>;
}

/** Nobody needs to know the last use better, and every write costs one. */
const USE_NOTED_EVERY_MS = 60_000;
/** So long it is said of a key that it was revoked or has expired; after that it is as if it had never been. */
const ENDED_KEPT_MS = 90 * 24 * 60 * 60 * 1_000;

export function createApiKeysRepository(Account: Model<AccountRecord>, ApiKey: Model<ApiKeyRecord>): ApiKeysRepository {
  const findOwnedKey = async (account: string, id: string) =>
    (await ApiKey.findOne({ _id: id, account }).lean()) ?? undefined;

  return {
    async createKey({ account, role, label, scopes, expiresAt, createdBy }) {
      const { key, id, hash } = makeApiKey();
      const record: ApiKeyRecord = {
        _id: id,
        account,
        role,
        label,
        hash,
        createdAt: new Date(),
        ...(scopes && { scopes }),
        ...(expiresAt && { expiresAt }),
        ...(createdBy !== undefined && { createdBy }),
      };
      await ApiKey.create(record);
      const longAgo = { $lte: new Date(Date.now() - ENDED_KEPT_MS) };
      await ApiKey.deleteMany({ account, $or: [{ revokedAt: longAgo }, { expiresAt: longAgo }] });
      return { key, record };
    },
    async findHolder(text) {
      const read = readApiKey(text);
      if (!read) return undefined;
      const { id, hash } = read;
      const key = await ApiKey.findOne(id === undefined ? { hash } : { _id: id }).lean();
      if (!key || !isSameHash(key.hash, hash)) return undefined;
      const account = await Account.findOne({ _id: key.account }).lean();
      return account ? { key, account } : undefined;
    },
    async holdersOf(keys) {
      const found = await ApiKey.find({ _id: { $in: keys } }).lean();
      const owners = await Account.find({ _id: { $in: found.map(({ account }) => account) } }).lean();
      const byId = new Map(owners.map((account) => [account._id, account]));
      return new Map(
        found.flatMap((key): [string, KeyHolder][] => {
          const account = byId.get(key.account);
          return account ? [[key._id, { key, account }]] : [];
        }),
      );
    },
    async noteKeyUse({ _id, lastUsedAt }) {
      const now = new Date();
      const lately = new Date(now.getTime() - USE_NOTED_EVERY_MS);
      if (lastUsedAt && lastUsedAt > lately) return;
      // Of several processes that saw the same one writes.
      await ApiKey.updateOne({ _id, lastUsedAt: { $not: { $gt: lately } } }, { $set: { lastUsedAt: now } });
    },
    findOwnedKey,
    async accountOfKey(id) {
      return (await ApiKey.findOne({ _id: id }, { account: 1 }).lean())?.account;
    },
    listKeys: ({ account, limit, after }) =>
      ApiKey.find({ account, ...older(after) })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit)
        .lean(),
    countUsableKeys: (account) =>
      ApiKey.countDocuments({ account, revokedAt: { $exists: false }, expiresAt: notYet() }),
    async revokeKey(account, id) {
      await ApiKey.updateOne({ _id: id, account, revokedAt: { $exists: false } }, { $set: { revokedAt: new Date() } });
      return findOwnedKey(account, id);
    },
    async keyIds(account) {
      const found = await ApiKey.find({ account }, { _id: 1 }).lean();
      return found.map(({ _id }) => _id);
    },
    async deleteKeys(account) {
      return (await ApiKey.deleteMany({ account })).deletedCount;
    },
  };
}
