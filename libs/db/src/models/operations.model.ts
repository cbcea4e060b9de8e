import type { ModelInfo } from '@aigolos/contracts';
import { type Connection, type Model, Schema } from 'mongoose';

/** A model that some worker has announced. */
export interface AnnouncedModelRecord extends Omit<ModelInfo, 'id'> {
  _id: string;
  announcedAt: Date;
  lastSeenAt: Date;
}

/** Who may do something that only one process at a time may do. */
export interface LeaseRecord {
  _id: string;
  holder: string;
  /** Grows with each change of holder. */
  fence: number;
  until: Date;
}

/** How far a change-stream watcher has come. */
export interface WatcherRecord {
  _id: string;
  resumeToken: unknown;
  savedAt: Date;
}

const announcedModelSchema = new Schema<AnnouncedModelRecord>(
  {
    _id: { type: String, required: true },
    kind: { type: String, required: true },
    isDefault: { type: Boolean, required: true },
    languages: { type: [String], required: true },
    voices: { type: Schema.Types.Mixed, required: true },
    license: { type: String, required: true },
    announcedAt: { type: Date, required: true },
    lastSeenAt: { type: Date, required: true },
  },
  { collection: 'models', versionKey: false },
);

const leaseSchema = new Schema<LeaseRecord>(
  {
    _id: { type: String, required: true },
    holder: { type: String, required: true },
    fence: { type: Number, required: true },
    until: { type: Date, required: true },
  },
  { collection: 'leases', versionKey: false },
);

const watcherSchema = new Schema<WatcherRecord>(
  {
    _id: { type: String, required: true },
    resumeToken: { type: Schema.Types.Mixed, required: true },
    savedAt: { type: Date, required: true },
  },
  { collection: 'watchers', versionKey: false },
);

export function defineOperationsModels(connection: Connection): {
  AnnouncedModel: Model<AnnouncedModelRecord>;
  Lease: Model<LeaseRecord>;
  Watcher: Model<WatcherRecord>;
} {
  return {
    AnnouncedModel: connection.model<AnnouncedModelRecord>('AnnouncedModel', announcedModelSchema.clone()),
    Lease: connection.model<LeaseRecord>('Lease', leaseSchema.clone()),
    Watcher: connection.model<WatcherRecord>('Watcher', watcherSchema.clone()),
  };
}
