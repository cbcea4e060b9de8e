import { type OwnLimits, type RetentionWish, ROLES, type Role, type Scope } from '@aigolos/contracts';
import { type Connection, type Model, Schema } from 'mongoose';
import type { WebhookSecrets } from './webhook.model.ts';

export interface AccountRecord {
  _id: string;
  /** The operator's name for it, unique. */
  username: string;
  /** Absent stands for `user`. */
  role?: Role;
  createdAt: Date;
  /** Since when its keys are refused. */
  disabledAt?: Date;
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
  /** At most; its account's stands above it. */
  role: Role;
  /** What it is for; absent stands for everything. */
  scopes?: Scope[];
  label: string;
  /** SHA-256 of its secret, hex; of a key of the earlier form of its whole text. The key itself is shown once and kept nowhere. */
  hash: string;
  createdAt: Date;
  /** The key that made it; absent where an operator did at a shell. */
  createdBy?: string;
  expiresAt?: Date;
  /** To a minute or so. */
  lastUsedAt?: Date;
  revokedAt?: Date;
}

const accountSchema = new Schema<AccountRecord>(
  {
    _id: { type: String, required: true },
    username: { type: String, required: true },
    role: { type: String, enum: ROLES },
    createdAt: { type: Date, required: true },
    disabledAt: Date,
    retention: Schema.Types.Mixed,
    limits: Schema.Types.Mixed,
    webhookSecrets: Schema.Types.Mixed,
    erasingAt: Date,
  },
  { collection: 'accounts', versionKey: false },
);
accountSchema.index({ username: 1 }, { unique: true });
accountSchema.index({ createdAt: -1, _id: -1 });

const apiKeySchema = new Schema<ApiKeyRecord>(
  {
    _id: { type: String, required: true },
    account: { type: String, required: true },
    role: { type: String, required: true, enum: ROLES },
    scopes: { type: [String], default: undefined } as never,
    // Not required, which an empty text would not meet.
    label: { type: String, default: '' },
    hash: { type: String, required: true },
    createdAt: { type: Date, required: true },
    createdBy: String,
    expiresAt: Date,
    lastUsedAt: Date,
    revokedAt: Date,
  },
  { collection: 'api_keys', versionKey: false },
);
apiKeySchema.index({ hash: 1 }, { unique: true });
apiKeySchema.index({ account: 1, createdAt: -1, _id: -1 });

export function defineAccessModels(connection: Connection): {
  Account: Model<AccountRecord>;
  ApiKey: Model<ApiKeyRecord>;
} {
  return {
    Account: connection.model<AccountRecord>('Account', accountSchema.clone()),
    ApiKey: connection.model<ApiKeyRecord>('ApiKey', apiKeySchema.clone()),
  };
}
