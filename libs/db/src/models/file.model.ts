import type { StoredFilePurpose } from '@aigolos/contracts';
import { type Connection, type Model, Schema } from 'mongoose';

/** A file that an account has uploaded, or that one of its jobs has made. Its bytes are a blob of the record. */
export interface FileRecord {
  _id: string;
  account: string;
  purpose: StoredFilePurpose;
  /** As its owner calls it. */
  filename: string;
  blobKey: string;
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
  createdAt: Date;
  /** When it goes by itself; absent where it is kept until somebody deletes it. */
  expiresAt?: Date;
  /** The job that made it, and the claim of it: of a later one it is replaced. */
  madeBy?: { job: string; fence: number };
}

const fileSchema = new Schema<FileRecord>(
  {
    _id: { type: String, required: true },
    account: { type: String, required: true },
    purpose: { type: String, required: true },
    filename: { type: String, required: true },
    blobKey: { type: String, required: true },
    bytes: { type: Number, required: true },
    sha256: { type: String, required: true },
    createdAt: { type: Date, required: true },
    expiresAt: Date,
    madeBy: Schema.Types.Mixed,
  },
  { collection: 'files', versionKey: false },
);
fileSchema.index({ account: 1, createdAt: -1, _id: -1 });
fileSchema.index({ account: 1, purpose: 1, createdAt: -1, _id: -1 });
fileSchema.index({ createdAt: 1, _id: 1 });
fileSchema.index({ expiresAt: 1 }, { partialFilterExpression: { expiresAt: { $exists: true } } });

fileSchema.index({ 'madeBy.job': 1 }, { partialFilterExpression: { madeBy: { $exists: true } } });

export function defineFileModel(connection: Connection): Model<FileRecord> {
  return connection.model<FileRecord>('File', fileSchema.clone());
}
