import type { Amounts, MeteredKind, QuotaPeriod, UsageService } from '@aigolos/contracts';
import { type Connection, type Model, Schema } from 'mongoose';

/** What a job took of one service. It stays when the job goes, has nothing of what was said, and goes with its account. */
export interface UsageRecord {
  /** The job's id, with what tells its rows and ends apart: so it is written once, however often that is tried. */
  _id: string;
  account: string;
  apiKey?: string;
  kind: MeteredKind;
  service: UsageService;
  model: string;
  /** Was the job a line of a batch? */
  batch: boolean;
  /** Unix seconds: when the job ended. */
  at: number;
  /** 1 in one row of each job, 0 in its others. */
  requests: number;
  audioSeconds: number;
  characters: number;
  inputTokens: number;
  outputTokens: number;
  computeMs: number;
}

/** What was set aside for a job: how much, and of which day and month. */
export interface Reservation extends Record<QuotaPeriod, string> {
  amounts: Amounts;
}

/** What an account with limits has taken of its quotas. One document, so that a reservation is one conditional write. */
export interface QuotaRecord extends Record<QuotaPeriod, string> {
  /** The account. */
  _id: string;
  /** Of the day and the month that `day` and `month` name: what ended jobs took, and what is set aside for the others. */
  taken: Record<QuotaPeriod, Amounts>;
  /** How many jobs have not ended. */
  jobs: number;
  /** By job, what is set aside. A reservation is settled by whoever takes it out of here. */
  held: Record<string, Reservation & { at: Date }>;
}

const usageSchema = new Schema<UsageRecord>(
  {
    _id: { type: String, required: true },
    account: { type: String, required: true },
    apiKey: String,
    kind: { type: String, required: true },
    service: { type: String, required: true },
    model: { type: String, required: true },
    batch: { type: Boolean, required: true },
    at: { type: Number, required: true },
    requests: { type: Number, required: true },
    audioSeconds: { type: Number, required: true },
    characters: { type: Number, required: true },
    inputTokens: { type: Number, required: true },
    outputTokens: { type: Number, required: true },
    computeMs: { type: Number, required: true },
  },
  { collection: 'usage', versionKey: false },
);
usageSchema.index({ account: 1, at: 1 });
usageSchema.index({ at: 1 });

const quotaSchema = new Schema<QuotaRecord>(
  {
    _id: { type: String, required: true },
    day: { type: String, required: true },
    month: { type: String, required: true },
    taken: { type: Schema.Types.Mixed, required: true },
    jobs: { type: Number, required: true },
    held: { type: Schema.Types.Mixed, required: true },
  },
  { collection: 'quotas', versionKey: false, minimize: false },
);
quotaSchema.index({ jobs: 1 });

export function defineUsageModels(connection: Connection): { Usage: Model<UsageRecord>; Quota: Model<QuotaRecord> } {
  return {
    Usage: connection.model<UsageRecord>('Usage', usageSchema.clone()),
    Quota: connection.model<QuotaRecord>('Quota', quotaSchema.clone()),
  };
}
