import {
  type AttemptOutcomeName,
  JOB_CATALOGUE,
  JOB_KINDS,
  JOB_PRIORITIES,
  JOB_STATUSES,
  type JobFailure,
  type JobKind,
  type JobPriority,
  type JobStatus,
  type JobStep,
  type JobUsage,
  type ResultOf,
  type RetentionPolicy,
  type TaskOf,
  VOICE_TURN_STEPS,
} from '@aigolos/contracts';
import { type Connection, type Model, type mongo, Schema } from 'mongoose';
import type { Reservation } from './usage.model.ts';

/** One job from submission to result: request, state, result and usage in one document, so that finishing is one write. */
export interface JobRecord<Kind extends JobKind = JobKind> {
  _id: string;
  kind: Kind;
  account: string;
  /** Id of the key that it was submitted with; absent of what the installation does by itself. */
  apiKey?: string;
  status: JobStatus;
  task: TaskOf[Kind];
  result?: ResultOf[Kind];
  usage?: JobUsage;
  /** What was set aside for it of its account's quotas, where the account has some. */
  reservation?: Reservation;
  /** Set by the write that ends the job, until its usage stands in rows of their own, which outlive it. */
  usagePending?: boolean;
  failure?: JobFailure;
  warnings: string[];
  metadata: Record<string, string>;
  /** 0 to 1. */
  progress: number;
  /** Of a kind of several steps: the one that it is at, or waits for; the first where it is absent. Decides its queue. */
  step?: JobStep;
  /** What a later attempt need not do again; its shape is the processor's. After the end only of one that failed at a later step. */
  checkpoint?: unknown;
  /** Grows with each claim; a write that carries an older one matches nothing. */
  fence: number;
  /** Attempts begun, less those that a drain put back or that ended with their step. */
  attempt: number;
  /** Attempts that ended because their worker vanished. */
  crashes: number;
  /** How often an operator sent it back to its queue after it had ended; each of its ends is an event of its own. */
  retries?: number;
  /** What became of the attempts, oldest first: of very many the last ones. Absent in records of earlier versions. */
  attempts?: AttemptRecord[];
  leaseUntil?: Date;
  worker?: string;
  cancelRequestedAt?: Date;
  /** Absent stands for `default`. */
  priority?: JobPriority;
  /** It expires if it has not begun by the first, or not ended by the second. */
  startBy?: Date;
  finishBy?: Date;
  /** The next of these two that can be missed; absent once the job has ended. */
  deadlineAt?: Date;
  /** The client's own name of the request, what it asked for, and until when the same name stands for this job. */
  idempotencyKey?: string;
  requestFingerprint?: string;
  idempotencyKeyUntil?: Date;
  /** Equal of jobs of one account that are the same work on the same content. */
  contentKey?: string;
  /** The batch whose line it is. */
  batch?: string;
  /** The job whose result this one has: nothing was done anew. */
  reusedFrom?: string;
  /** Of a turn of a chat or a voice: which conversation, which turn of it, and whether its messages are still to be written. */
  conversation?: string;
  turn?: number;
  messagesPending?: boolean;
  /** Where the job's own request wants to be called back, beside the account's endpoints. */
  webhookUrl?: string;
  /** Set by the write that ends the job, until the rows of its webhooks exist; so its end and its webhooks cannot part. */
  webhooksPending?: boolean;
  createdAt: Date;
  /** When it last became `queued`. */
  queuedAt: Date;
  startedAt?: Date;
  finishedAt?: Date;
  /** How long what of it is kept, as it was resolved at the submission; absent in records of earlier versions. */
  retention?: RetentionPolicy;
  /** When the record goes, with all that belongs to it; absent until it has ended, and where it is kept. */
  expiresAt?: Date;
  /** When the audio that was sent, and the audio that was made, go; never later than the record. */
  inputExpiresAt?: Date;
  outputExpiresAt?: Date;
  /** The next of these two times whose files are still to be deleted. */
  filesExpireAt?: Date;
  inputDeletedAt?: Date;
  outputDeletedAt?: Date;
  /** What a removal that has begun found of files, so that every other one tells the same of it. */
  removing?: StoredFiles;
}

/** One claim of a job, and what became of it; while it runs nothing has. */
export interface AttemptRecord {
  fence: number;
  worker: string;
  startedAt: Date;
  endedAt?: Date;
  outcome?: AttemptOutcomeName;
  /** The code of the error that ended it, never its text. */
  error?: string;
}

/** How many files a record has, and their bytes together. */
export interface StoredFiles {
  files: number;
  bytes: number;
}

/** A record of any kind whose `kind` tells the type of its task and result. */
export type AnyJobRecord = { [Kind in JobKind]: JobRecord<Kind> }[JobKind];

/** What a job's status and lists show. */
export const JOB_SUMMARY_FIELDS = [
  '_id',
  'kind',
  'account',
  'status',
  'usage',
  'failure',
  'warnings',
  'metadata',
  'step',
  'progress',
  'fence',
  'attempt',
  'priority',
  'startBy',
  'finishBy',
  'batch',
  'reusedFrom',
  'conversation',
  'createdAt',
  'queuedAt',
  'startedAt',
  'finishedAt',
  'retention',
  'expiresAt',
  'inputExpiresAt',
  'outputExpiresAt',
] as const satisfies (keyof JobRecord)[];

/** A record without what was said in it and what came of it: of its task at least the model. */
export type JobSummary = Pick<JobRecord, (typeof JOB_SUMMARY_FIELDS)[number]> & { task: object };

/** A record as it is at its submission: queued, and nothing done yet. */
export function newJobRecord<Kind extends JobKind>(
  submitted: Pick<JobRecord<Kind>, '_id' | 'kind' | 'account' | 'task'> & Partial<JobRecord<Kind>>,
): JobRecord<Kind> {
  const now = new Date();
  return {
    status: 'queued',
    warnings: [],
    metadata: {},
    progress: 0,
    fence: 0,
    attempt: 0,
    crashes: 0,
    createdAt: now,
    queuedAt: now,
    ...submitted,
  };
}

const jobSchema = new Schema<JobRecord>(
  {
    _id: { type: String, required: true },
    account: { type: String, required: true },
    apiKey: String,
    status: { type: String, required: true, enum: JOB_STATUSES },
    result: Schema.Types.Mixed,
    usage: Schema.Types.Mixed,
    reservation: Schema.Types.Mixed,
    usagePending: Boolean,
    failure: Schema.Types.Mixed,
    warnings: { type: [String], required: true },
    metadata: { type: Schema.Types.Mixed, required: true },
    step: { type: String, enum: VOICE_TURN_STEPS },
    progress: { type: Number, required: true },
    checkpoint: Schema.Types.Mixed,
    fence: { type: Number, required: true },
    attempt: { type: Number, required: true },
    crashes: { type: Number, required: true },
    retries: Number,
    attempts: { type: [Schema.Types.Mixed], default: undefined },
    leaseUntil: Date,
    worker: String,
    cancelRequestedAt: Date,
    priority: { type: String, enum: JOB_PRIORITIES },
    startBy: Date,
    finishBy: Date,
    deadlineAt: Date,
    idempotencyKey: String,
    requestFingerprint: String,
    idempotencyKeyUntil: Date,
    contentKey: String,
    batch: String,
    reusedFrom: String,
    conversation: String,
    turn: Number,
    messagesPending: Boolean,
    webhookUrl: String,
    webhooksPending: Boolean,
    createdAt: { type: Date, required: true },
    queuedAt: { type: Date, required: true },
    startedAt: Date,
    finishedAt: Date,
    retention: Schema.Types.Mixed,
    expiresAt: Date,
    inputExpiresAt: Date,
    outputExpiresAt: Date,
    filesExpireAt: Date,
    inputDeletedAt: Date,
    outputDeletedAt: Date,
    removing: Schema.Types.Mixed,
  },
  { collection: 'jobs', discriminatorKey: 'kind', versionKey: false, minimize: false },
);
jobSchema.index({ account: 1, createdAt: -1, _id: -1 });
jobSchema.index({ status: 1, queuedAt: 1 });
jobSchema.index({ expiresAt: 1 }, { partialFilterExpression: { expiresAt: { $exists: true } } });
jobSchema.index({ filesExpireAt: 1 }, { partialFilterExpression: { filesExpireAt: { $exists: true } } });
jobSchema.index({ kind: 1, finishedAt: 1, _id: 1 });
jobSchema.index({ conversation: 1, turn: 1 }, { unique: true, partialFilterExpression: { turn: { $exists: true } } });
jobSchema.index({ deadlineAt: 1 }, { partialFilterExpression: { deadlineAt: { $exists: true } } });
jobSchema.index(
  { account: 1, idempotencyKey: 1 },
  { unique: true, partialFilterExpression: { idempotencyKey: { $exists: true } } },
);
jobSchema.index({ idempotencyKeyUntil: 1 }, { partialFilterExpression: { idempotencyKeyUntil: { $exists: true } } });
jobSchema.index({ account: 1, contentKey: 1 }, { partialFilterExpression: { contentKey: { $exists: true } } });
jobSchema.index({ batch: 1, _id: 1 }, { partialFilterExpression: { batch: { $exists: true } } });
jobSchema.index({ messagesPending: 1 }, { partialFilterExpression: { messagesPending: true } });
jobSchema.index({ usagePending: 1 }, { partialFilterExpression: { usagePending: true } });
jobSchema.index({ webhooksPending: 1, finishedAt: 1 }, { partialFilterExpression: { webhooksPending: true } });

/**
 * The same jobs by the driver itself, for what each job goes through. Mongoose's casting takes about as long as the database for those
 * few commands, whose records and changes are made by this library, and typed.
 */
export function jobCollection(Job: Model<JobRecord>): mongo.Collection<JobRecord> {
  return Job.collection as unknown as mongo.Collection<JobRecord>;
}

const isTask = (kind: JobKind, task: unknown) => JOB_CATALOGUE[kind].task.safeParse(task).success;

/** @throws TypeError of a task that is not what processes promise each other. */
export function assertTask({ _id, kind, task }: Pick<JobRecord, '_id' | 'kind' | 'task'>): void {
  if (!isTask(kind, task)) throw new TypeError(`${_id} is no job: its task is none of a ${kind}`);
}

/** One discriminator a kind, whose task is held to the schema that processes promise each other. */
export function defineJobModel(connection: Connection): Model<JobRecord> {
  const Job = connection.model<JobRecord>('Job', jobSchema.clone());
  for (const kind of JOB_KINDS) {
    const validate = (value: unknown) => isTask(kind, value);
    Job.discriminator(kind, new Schema({ task: { type: Schema.Types.Mixed, required: true, validate } }));
  }
  return Job;
}
