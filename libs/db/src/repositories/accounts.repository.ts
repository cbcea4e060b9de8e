import { newId, type OwnLimits, type RetentionWish, type Role } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type { AccountRecord, ApiKeyRecord } from '../models/access.model.ts';
import type { WebhookSecrets } from '../models/webhook.model.ts';
import { older, type PageFilter } from './page.ts';

export interface AccountsRepository {
  /** The account of this name, as it is; made with this role where there is none. */
  ensureAccount(username: string, role?: Role): Promise<AccountRecord>;
  /** Nothing where the name is taken. */
  createAccount(username: string, role: Role): Promise<AccountRecord | undefined>;
  findAccount(username: string): Promise<AccountRecord | undefined>;
  accountById(id: string): Promise<AccountRecord | undefined>;
  /** Newest first. */
  listAccounts(page: PageFilter): Promise<AccountRecord[]>;
  /** What is given; answers the account as it is then. */
  changeAccount(
    id: string,
    change: { role?: Role | undefined; disabled?: boolean | undefined },
  ): Promise<AccountRecord | undefined>;
  /** Sets how long an account's data is kept, in place of what it had set; answers the account as it is then. */
  setRetention(id: string, retention: RetentionWish): Promise<AccountRecord | undefined>;
  /** Sets what an account may use, in place of what was set for it. */
  setLimits(id: string, limits: OwnLimits): Promise<void>;
  /** Puts new secrets in place of those whose current one is given, if any; `false` where they are others by now. */
  replaceWebhookSecrets(id: string, current: string | undefined, secrets: WebhookSecrets): Promise<boolean>;
  markErasing(id: string): Promise<void>;
  deleteAccount(id: string): Promise<boolean>;
  /** Gives accounts of earlier versions, where keys alone had roles, the highest one of their keys. */
  settleRoles(): Promise<void>;
}

const NO_ROLE = { role: { $exists: false } } as const;

export function createAccountsRepository(
  Account: Model<AccountRecord>,
  ApiKey: Model<ApiKeyRecord>,
): AccountsRepository {
  const accountById = async (id: string) => (await Account.findOne({ _id: id }).lean()) ?? undefined;
  const findAccount = async (username: string) => (await Account.findOne({ username }).lean()) ?? undefined;

  async function createAccount(username: string, role: Role): Promise<AccountRecord | undefined> {
    const record = { _id: newId('account'), username, role, createdAt: new Date() };
    return Account.create(record).then(
      () => record,
      (error: unknown) => {
        if (isDuplicateKey(error)) return undefined;
        throw error;
      },
    );
  }

  return {
    accountById,
    findAccount,
    createAccount,
    async ensureAccount(username, role = 'user') {
      const account = (await findAccount(username)) ?? (await createAccount(username, role));
      // Somebody else made it at this moment.
      return account ?? Account.findOne({ username }).lean().orFail();
    },
    listAccounts: ({ limit, after }) => Account.find(older(after)).sort({ createdAt: -1, _id: -1 }).limit(limit).lean(),
    async changeAccount(id, { role, disabled }) {
      if (role !== undefined) await Account.updateOne({ _id: id }, { $set: { role } });
      if (disabled === false) await Account.updateOne({ _id: id }, { $unset: { disabledAt: 1 } });
      else if (disabled) {
        await Account.updateOne({ _id: id, disabledAt: { $exists: false } }, { $set: { disabledAt: new Date() } });
      }
      return accountById(id);
    },
    async setRetention(id, retention) {
      await Account.updateOne({ _id: id }, { $set: { retention } });
      return accountById(id);
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
    async settleRoles() {
      for (const { _id } of await Account.find(NO_ROLE, { _id: 1 }).lean()) {
        const isAdmin = (await ApiKey.exists({ account: _id, role: 'admin' })) !== null;
        await Account.updateOne({ _id, ...NO_ROLE }, { $set: { role: isAdmin ? 'admin' : 'user' } });
      }
    },
  };
}
