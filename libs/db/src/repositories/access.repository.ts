import type { Model } from 'mongoose';
import type { AccountRecord, ApiKeyRecord } from '../models/access.model.ts';
import { type AccountsRepository, createAccountsRepository } from './accounts.repository.ts';
import { type ApiKeysRepository, createApiKeysRepository } from './api-keys.repository.ts';

/** Who may call, and as whom. */
export type AccessRepository = AccountsRepository & ApiKeysRepository;

export function createAccessRepository(Account: Model<AccountRecord>, ApiKey: Model<ApiKeyRecord>): AccessRepository {
  return { ...createAccountsRepository(Account, ApiKey), ...createApiKeysRepository(Account, ApiKey) };
}
