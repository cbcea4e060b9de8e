import { type AccountLimits, resolveLimits } from '@aigolos/contracts';
import type { AccountRecord, Database } from '@aigolos/db';
import { LRUCache } from 'lru-cache';

/** What accounts may use. */
export interface AccountLimitsDirectory {
  /** As it was at most a minute ago: a busy account is read by its submissions, and not for this. */
  of(account: string): Promise<AccountLimits>;
  /** Of a record that was just read, which this remembers. */
  in(record: AccountRecord | undefined): AccountLimits;
}

const KEPT_MS = 60_000;
const KEPT_ACCOUNTS = 10_000;

/** @param installation what an account may use for which its operator has set nothing else. */
export function createAccountLimits(
  access: Pick<Database['access'], 'accountById'>,
  installation: AccountLimits,
): AccountLimitsDirectory {
  const known = new LRUCache<string, AccountLimits>({ max: KEPT_ACCOUNTS, ttl: KEPT_MS });
  function limitsIn(record: AccountRecord | undefined): AccountLimits {
    const limits = resolveLimits(installation, record?.limits);
    if (record) known.set(record._id, limits);
    return limits;
  }
  return {
    in: limitsIn,
    async of(account) {
      return known.get(account) ?? limitsIn(await access.accountById(account));
    },
  };
}
