import { type Connection, type Model, Schema } from 'mongoose';

/** One thing that an erasure removes: its id, never its content. */
export interface ErasureItemRecord {
  _id: string;
  erasure: string;
  kind: string;
  item: string;
  /** Why it could not be removed yet; absent where it is gone. */
  reason?: string;
  /** How often it was tried in vain. */
  attempts: number;
  /** The list is of no use for long after the receipt that was made of it. */
  forgetAt?: Date;
}

/** The key pair by which this installation signs, as JSON Web Keys. */
export interface SigningKeyRecord {
  _id: string;
  kid: string;
  privateKey: Record<string, unknown>;
  publicKey: Record<string, unknown>;
  createdAt: Date;
}

const erasureItemSchema = new Schema<ErasureItemRecord>(
  {
    _id: { type: String, required: true },
    erasure: { type: String, required: true },
    kind: { type: String, required: true },
    item: { type: String, required: true },
    reason: String,
    attempts: { type: Number, required: true },
    forgetAt: Date,
  },
  { collection: 'erasure_items', versionKey: false },
);
erasureItemSchema.index({ erasure: 1, kind: 1, item: 1 }, { unique: true });
erasureItemSchema.index(
  { erasure: 1, attempts: 1 },
  { partialFilterExpression: { reason: { $exists: true } }, name: 'postponed' },
);
erasureItemSchema.index({ item: 1 });
erasureItemSchema.index({ forgetAt: 1 }, { expireAfterSeconds: 0 });

const signingKeySchema = new Schema<SigningKeyRecord>(
  {
    _id: { type: String, required: true },
    kid: { type: String, required: true },
    privateKey: { type: Schema.Types.Mixed, required: true },
    publicKey: { type: Schema.Types.Mixed, required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: 'installation', versionKey: false },
);

export function defineErasureModels(connection: Connection): {
  ErasureItem: Model<ErasureItemRecord>;
  SigningKey: Model<SigningKeyRecord>;
} {
  return {
    ErasureItem: connection.model<ErasureItemRecord>('ErasureItem', erasureItemSchema.clone()),
    SigningKey: connection.model<SigningKeyRecord>('SigningKey', signingKeySchema.clone()),
  };
}
