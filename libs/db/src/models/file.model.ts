import type { FilePurpose } from '@aigolos/contracts';
import { type Connection, type Model, Schema } from 'mongoose';

/** A file that an account has uploaded. Its bytes are a blob of the record. */
export interface FileRecord {
  _id: string;
  account: string;
  purpose: FilePurpose;
  /** As its owner calls it. */
  filename: string;
  blobKey: string;
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
  createdAt: Date;
  /** When it goes by itself; absent where it is kept until somebody deletes it. */
  expiresAt?: Date;
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
  },
  { collection: 'files', versionKey: false },
);
fileSchema.index({ account: 1, createdAt: -1, _id: -1 });
fileSchema.index({ account: 1, purpose: 1, createdAt: -1, _id: -1 });
fileSchema.index({ createdAt: 1, _id: 1 });
fileSchema.index({ expiresAt: 1 }, { partialFilterExpression: { expiresAt: { $exists: true } } });

export function defineFileModel(connection: Connection): Model<FileRecord> {
  return connection.model<FileRecord>('File', fileSchema.clone());
}
