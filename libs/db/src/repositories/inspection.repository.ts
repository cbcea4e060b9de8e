import { FINAL_STATUSES, JOB_KINDS, JOB_STATUSES, type JobKind, type JobStatus } from '@aigolos/contracts';
import type { Model, QueryFilter } from 'mongoose';
import { JOB_SUMMARY_FIELDS, type JobRecord } from '../models/job.model.ts';
import type { WebhookDeliveryRecord } from '../models/webhook.model.ts';

/** Which jobs an operator wants to see; of all accounts where none is named. */
export interface InspectedJobsFilter {
  account?: string | undefined;
  kind?: JobKind | undefined;
  status?: JobStatus | undefined;
  createdBefore?: Date | undefined;
  limit: number;
}

const JOB_FIELDS = [
  ...JOB_SUMMARY_FIELDS,
  'fence',
  'crashes',
  'attempts',
  'leaseUntil',
  'worker',
  'cancelRequestedAt',
  'deadlineAt',
  'idempotencyKeyUntil',
  'turn',
  'messagesPending',
  'webhooksPending',
  'inputDeletedAt',
  'outputDeletedAt',
  'checkpoint',
] as const satisfies (keyof JobRecord)[];

/** A record as an operator sees it, without what was said in it; a later version's kind or status may be among them. */
export type InspectedJob = Pick<JobRecord, (typeof JOB_FIELDS)[number]> & { task?: { model?: string } };
export type ListedJob = Omit<InspectedJob, 'checkpoint'>;

/** How far a webhook has come, without its address and body. */
export type InspectedDelivery = Pick<
  WebhookDeliveryRecord,
  '_id' | 'type' | 'endpoint' | 'status' | 'attempts' | 'nextAttemptAt' | 'settledAt'
>;

/** A job that somebody should look at. */
export type SuspectJob = Pick<
  JobRecord,
  | '_id'
  | 'kind'
  | 'step'
  | 'status'
  | 'fence'
  | 'conversation'
  | 'turn'
  | 'queuedAt'
  | 'leaseUntil'
  | 'deadlineAt'
  | 'finishedAt'
  | 'idempotencyKeyUntil'
>;

/** What an operator looks at; nobody who serves a request or works on a job reads by this. */
export interface InspectionRepository {
  /** Newest first. */
  jobs(filter: InspectedJobsFilter): Promise<ListedJob[]>;
  job(id: string): Promise<InspectedJob | undefined>;
  deliveriesOf(job: string): Promise<InspectedDelivery[]>;
  /** Queued since before then, longest first. */
  queuedBefore(time: Date, limit: number): Promise<SuspectJob[]>;
  /** In progress, with a lease that ran out before then or with none. */
  leaseRunOut(before: Date, limit: number): Promise<SuspectJob[]>;
  /** Not ended, with a deadline before then. */
  deadlineMissed(before: Date, limit: number): Promise<SuspectJob[]>;
  /** Turns that ended before then and whose messages are not written. */
  messagesPending(endedBefore: Date, limit: number): Promise<SuspectJob[]>;
  /** The earliest turn of a conversation that has not ended or not written its messages. */
  firstOpenTurn(conversation: string): Promise<SuspectJob | undefined>;
  /** Records that only a later version understands, each kind and status of such once, with how many there are. */
  foreign(): Promise<{ kind: string; status: string; count: number; example: string }[]>;
  /** Of these ids of jobs those that have not ended, or that this version knows nothing of. */
  openJobs(ids: string[]): Promise<Set<string>>;
  /** Of these ids of deliveries those that are to be sent. */
  openDeliveries(ids: string[]): Promise<Set<string>>;
  /** Jobs whose idempotency key should have been forgotten before then. */
  idempotencyKeysPast(before: Date, limit: number): Promise<SuspectJob[]>;
}

const fields = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 1 as const]));
const LISTED = { ...fields(JOB_FIELDS.filter((name) => name !== 'checkpoint')), 'task.model': 1 as const };
const SHOWN = { ...LISTED, checkpoint: 1 as const };
const SUSPECT = fields(
  'kind step status fence conversation turn queuedAt leaseUntil deadlineAt finishedAt idempotencyKeyUntil'.split(' '),
);
const DELIVERY = fields('type endpoint status attempts nextAttemptAt settledAt'.split(' '));

export function createInspectionRepository(
  Job: Model<JobRecord>,
  Delivery: Model<WebhookDeliveryRecord>,
): InspectionRepository {
  const suspects = async (filter: QueryFilter<JobRecord>, limit: number) =>
    (await Job.find(filter, SUSPECT).limit(limit).lean()) as SuspectJob[];
  const open: QueryFilter<JobRecord> = { status: { $in: ['queued', 'in_progress'] } };

  return {
    async jobs({ limit, createdBefore, ...asked }) {
      const equal = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
      const filter = { ...equal, ...(createdBefore && { createdAt: { $lt: createdBefore } }) };
      const found = Job.find(filter, LISTED).sort({ createdAt: -1, _id: -1 }).limit(limit);
      return (await found.lean()) as unknown as ListedJob[];
    },
    job: async (id) => ((await Job.findOne({ _id: id }, SHOWN).lean()) ?? undefined) as InspectedJob | undefined,
    deliveriesOf: async (job) =>
      (await Delivery.find({ job }, DELIVERY).sort({ order: 1, _id: 1 }).lean()) as InspectedDelivery[],

    async queuedBefore(time, limit) {
      const found = Job.find({ status: 'queued', queuedAt: { $lt: time } }, SUSPECT).sort({ queuedAt: 1 });
      return (await found.limit(limit).lean()) as SuspectJob[];
    },
    leaseRunOut: (before, limit) => suspects({ status: 'in_progress', leaseUntil: { $not: { $gte: before } } }, limit),
    deadlineMissed: (before, limit) => suspects({ deadlineAt: { $lt: before }, ...open }, limit),
    messagesPending: (endedBefore, limit) =>
      suspects({ messagesPending: true, finishedAt: { $lt: endedBefore } }, limit),
    async firstOpenTurn(conversation) {
      const filter = { conversation, turn: { $exists: true }, $or: [open, { messagesPending: true }] };
      return ((await Job.findOne(filter, SUSPECT).sort({ turn: 1 }).lean()) ?? undefined) as SuspectJob | undefined;
    },
    async foreign() {
      const unknown = { $or: [{ kind: { $nin: [...JOB_KINDS] } }, { status: { $nin: [...JOB_STATUSES] } }] };
      const group = { _id: { kind: '$kind', status: '$status' }, count: { $sum: 1 }, example: { $min: '$_id' } };
      const found = await Job.aggregate<{
        _id: { kind: string; status: string };
        count: number;
        example: string;
      }>([{ $match: unknown }, { $group: group }]);
      return found.map(({ _id, count, example }) => ({ ..._id, count, example }));
    },

    async openJobs(ids) {
      const found = Job.find({ _id: { $in: ids }, status: { $nin: [...FINAL_STATUSES] } }, { _id: 1 });
      return new Set((await found.lean()).map(({ _id }) => _id));
    },
    async openDeliveries(ids) {
      const found = await Delivery.find({ _id: { $in: ids }, status: 'pending' }, { _id: 1 }).lean();
      return new Set(found.map(({ _id }) => _id));
    },
    idempotencyKeysPast: (before, limit) => suspects({ idempotencyKeyUntil: { $lt: before } }, limit),
  };
}
