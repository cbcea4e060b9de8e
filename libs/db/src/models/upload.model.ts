import { type FileExpiry, type FilePurpose, UPLOAD_STATUSES, type UploadStatus } from '@aigolos/contracts';
import { type Connection, type Model, Schema } from 'mongoose';

/** A piece of an upload: a blob of the upload's. */
export interface UploadPartRecord {
  id: string;
  blobKey: string;
  bytes: number;
}

/** A file that comes in parts. The record goes at `expiresAt`, and what is left of its parts with it. */
export interface UploadRecord {
  _id: string;
  account: string;
  filename: string;
  purpose: FilePurpose;
  /** That the file is to have. */
  bytes: number;
  fileExpiry?: FileExpiry;
  status: UploadStatus;
  /** In the order in which they came. */
  parts: UploadPartRecord[];
  /** Of all parts together. */
  receivedBytes: number;
  /** Of which parts it was completed, in the order of the file. */
  partIds?: string[];
  createdAt: Date;
  expiresAt: Date;
}

const uploadSchema = new Schema<UploadRecord>(
  {
    _id: { type: String, required: true },
    account: { type: String, required: true },
    filename: { type: String, required: true },
    purpose: { type: String, required: true },
    bytes: { type: Number, required: true },
    fileExpiry: Schema.Types.Mixed,
    status: { type: String, required: true, enum: UPLOAD_STATUSES },
    parts: { type: [Schema.Types.Mixed], required: true } as never,
    receivedBytes: { type: Number, required: true },
    partIds: { type: [String], default: undefined },
    createdAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
  },
  { collection: 'uploads', versionKey: false },
);
uploadSchema.index({ account: 1, createdAt: -1, _id: -1 });
uploadSchema.index({ expiresAt: 1 });

export function defineUploadModel(connection: Connection): Model<UploadRecord> {
  return connection.model<UploadRecord>('Upload', uploadSchema.clone());
}
