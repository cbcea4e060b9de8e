import type { OwnLimits, RetentionWish } from '@aigolos/contracts';
import { type Connection, type Model, Schema } from 'mongoose';
import type { WebhookSecrets } from './webhook.model.ts';

export const API_KEY_ROLES = ['user', 'admin'] as const;
/** `user` works with the jobs of its account; `admin` sees the operator's pages too. */
export type ApiKeyRole = (typeof API_KEY_ROLES)[number];

export interface AccountRecord {
  _id: string;
  /** The operator's name for it, unique. */
  username: string;
  createdAt: Date;
  /** How long its data is kept where a request does not say; what is left out follows the installation. */
  retention?: RetentionWish;
  /** What it may use, where an operator has set that; the rest follows the installation. */
  limits?: OwnLimits;
  /** What signs the webhooks to URLs that its jobs name themselves; absent until it is asked for. */
  webhookSecrets?: WebhookSecrets;
  /** Since when everything that it has is being removed. */
  erasingAt?: Date;
}

export interface ApiKeyRecord {
  _id: string;
  account: string;
  role: ApiKeyRole;
  label: string;
  /** SHA-256 of the key, hex. The key itself is shown once and kept nowhere. */
  hash: string;
  createdAt: Date;
}

const accountSchema = new Schema<AccountRecord>(
  {
    _id: { type: String, required: true },
    username: { type: String, required: true },
    createdAt: { type: Date, required: true },
    retention: Schema.Types.Mixed,
    limits: Schema.Types.Mixed,
    webhookSecrets: Schema.Types.Mixed,
    erasingAt: Date,
  },
  { collection: 'accounts', versionKey: false },
);
accountSchema.index({ username: 1 }, { unique: true });

const apiKeySchema = new Schema<ApiKeyRecord>(
  {
    _id: { type: String, required: true },
    account: { type: String, required: true },
    role: { type: String, required: true, enum: API_KEY_ROLES },
    label: { type: String, required: true },
    hash: { type: String, required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: 'api_keys', versionKey: false },
);
apiKeySchema.index({ hash: 1 }, { unique: true });
apiKeySchema.index({ account: 1 });

export function defineAccessModels(connection: Connection): {
  Account: Model<AccountRecord>;
  ApiKey: Model<ApiKeyRecord>;
} {
  return {
    Account: connection.model<AccountRecord>('Account', accountSchema.clone()),
    ApiKey: connection.model<ApiKeyRecord>('ApiKey', apiKeySchema.clone()),
  };
}
