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
  /** Of the watcher that may write it. */
  fence: number;
  /** Absent where there is no place to go on from. */
  resumeToken?: unknown;
  savedAt?: Date;
  /** Before this place changes were missed, and no sweep has made up for them yet. */
  sweepDue?: boolean;
}

/** One due time of a scheduled task. */
export interface TaskRunRecord {
  /** Name and slot, so that there is one run for each due time. */
  _id: string;
  name: string;
  /** When it was due. */
  slot: Date;
  state: 'running' | 'done' | 'failed';
  holder: string;
  /** Attempts begun. */
  attempt: number;
  leaseUntil: Date;
  startedAt: Date;
  finishedAt?: Date;
}

const announcedModelSchema = new Schema<AnnouncedModelRecord>(
  {
    _id: { type: String, required: true },
    kind: { type: String, required: true },
    isDefault: { type: Boolean, required: true },
    languages: { type: [String], required: true },
    voices: { type: Schema.Types.Mixed, required: true },
    license: { type: String, required: true },
    capabilities: { type: [String], default: undefined },
    version: String,
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
    fence: { type: Number, required: true },
    resumeToken: Schema.Types.Mixed,
    savedAt: Date,
    sweepDue: Boolean,
  },
  { collection: 'watchers', versionKey: false },
);

const TASK_RUNS_KEPT_SECONDS = 30 * 24 * 60 * 60;

const taskRunSchema = new Schema<TaskRunRecord>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    slot: { type: Date, required: true },
    state: { type: String, required: true },
    holder: { type: String, required: true },
    attempt: { type: Number, required: true },
    leaseUntil: { type: Date, required: true },
    startedAt: { type: Date, required: true },
    finishedAt: Date,
  },
  { collection: 'task_runs', versionKey: false },
);
taskRunSchema.index({ startedAt: 1 }, { expireAfterSeconds: TASK_RUNS_KEPT_SECONDS });

export function defineOperationsModels(connection: Connection): {
  AnnouncedModel: Model<AnnouncedModelRecord>;
  Lease: Model<LeaseRecord>;
  Watcher: Model<WatcherRecord>;
  TaskRun: Model<TaskRunRecord>;
} {
  return {
    AnnouncedModel: connection.model<AnnouncedModelRecord>('AnnouncedModel', announcedModelSchema.clone()),
    Lease: connection.model<LeaseRecord>('Lease', leaseSchema.clone()),
    Watcher: connection.model<WatcherRecord>('Watcher', watcherSchema.clone()),
    TaskRun: connection.model<TaskRunRecord>('TaskRun', taskRunSchema.clone()),
  };
}
