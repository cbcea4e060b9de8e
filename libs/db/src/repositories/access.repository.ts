import { createHash, randomBytes } from 'node:crypto';
import { newId, type OwnLimits, type RetentionWish } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import type { AccountRecord, ApiKeyRecord, ApiKeyRole } from '../models/access.model.ts';
import type { WebhookSecrets } from '../models/webhook.model.ts';

export interface AccessRepository {
  /** The account of this name; made where there is none. */
  ensureAccount(username: string): Promise<AccountRecord>;
  /** A new key. It is returned this once; only its hash is kept. */
  createKey(options: {
    account: string;
    role: ApiKeyRole;
    label: string;
  }): Promise<{ key: string; record: ApiKeyRecord }>;
  /** Who this key belongs to. */
  findByKey(key: string): Promise<ApiKeyRecord | undefined>;
  findAccount(username: string): Promise<AccountRecord | undefined>;
  accountById(id: string): Promise<AccountRecord | undefined>;
  /** Sets how long an account's data is kept, in place of what it had set; answers the account as it is then. */
  setRetention(id: string, retention: RetentionWish): Promise<AccountRecord | undefined>;
  /** Sets what an account may use, in place of what was set for it. */
  setLimits(id: string, limits: OwnLimits): Promise<void>;
  /** Puts new secrets in place of those whose current one is given, if any; `false` where they are others by now. */
  replaceWebhookSecrets(id: string, current: string | undefined, secrets: WebhookSecrets): Promise<boolean>;
  markErasing(id: string): Promise<void>;
  deleteAccount(id: string): Promise<boolean>;
  /** Ids of an account's keys. */
  keyIds(account: string): Promise<string[]>;
  deleteKeys(account: string): Promise<number>;
}

const KEY_BYTES = 32;

export function createAccessRepository(Account: Model<AccountRecord>, ApiKey: Model<ApiKeyRecord>): AccessRepository {
  return {
    async ensureAccount(username) {
      const found = await Account.findOne({ username }).lean();
      if (found) return found;
      const record = { _id: newId('account'), username, createdAt: new Date() };
      await Account.create(record);
      return record;
    },
    async createKey({ account, role, label }) {
      const key = `sk-aigolos-${randomBytes(KEY_BYTES).toString('base64url')}`;
      const record = { _id: newId('apiKey'), account, role, label, hash: hashKey(key), createdAt: new Date() };
      await ApiKey.create(record);
      return { key, record };
    },
    async findByKey(key) {
      return (await ApiKey.findOne({ hash: hashKey(key) }).lean()) ?? undefined;
    },
    async findAccount(username) {
      return (await Account.findOne({ username }).lean()) ?? undefined;
    },
    async accountById(id) {
      return (await Account.findOne({ _id: id }).lean()) ?? undefined;
    },
    async setRetention(id, retention) {
      await Account.updateOne({ _id: id }, { $set: { retention } });
      return (await Account.findOne({ _id: id }).lean()) ?? undefined;
    },
    async setLimits(id, limits) {
      await Account.updateOne({ _id: id }, { $set: { limits } });
    },
    async replaceWebhookSecrets(id, current, webhookSecrets) {
      const unchanged = current === undefined ? { $exists: false } : current;
      const { matchedCount } = await Account.updateOne(
        { _id: id, 'webhookSecrets.current': unchanged },
        { $set: { webhookSecrets } },
      );
      return matchedCount === 1;
    },
    async markErasing(id) {
      await Account.updateOne({ _id: id, erasingAt: { $exists: false } }, { $set: { erasingAt: new Date() } });
    },
    async deleteAccount(id) {
      return (await Account.deleteOne({ _id: id })).deletedCount === 1;
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

/** A plain hash is enough: the key has 256 random bits, so there is nothing to guess. */
function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
