import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type {
  DeliveryAttempt,
  DeliveryStatus,
  WebhookDeliveryRecord,
  WebhookEndpointRecord,
} from '../models/webhook.model.ts';
import { byId } from './by-id.ts';
import { older, type PageFilter } from './page.ts';

/** What one attempt came to, written together. */
export interface DeliveryOutcome {
  /** Absent where it came to none, as the receiver is not wanted any more. */
  attempt?: DeliveryAttempt;
  /** Absent while it is to be tried again. */
  settled?: { status: Exclude<DeliveryStatus, 'pending'>; at: Date };
  nextAttemptAt?: Date;
}

export interface WebhookDeliveriesRepository {
  /** Inserts those that are not there yet. */
  insertDeliveries(deliveries: WebhookDeliveryRecord[]): Promise<void>;
  /** Anybody's. */
  findDelivery(id: string): Promise<WebhookDeliveryRecord | undefined>;
  findOwnedDelivery(account: string, id: string): Promise<WebhookDeliveryRecord | undefined>;
  /** Newest first. */
  listDeliveries(
    filter: {
      account: string;
      endpoint?: string | undefined;
      job?: string | undefined;
      status?: DeliveryStatus | undefined;
    } & PageFilter,
  ): Promise<WebhookDeliveryRecord[]>;
  /** Takes a delivery, if nobody has touched it since it was read. At most one caller wins. */
  claimDelivery(delivery: WebhookDeliveryRecord, leaseMs: number): Promise<WebhookDeliveryRecord | undefined>;
  /** Writes what an attempt came to, if this claim still stands. */
  noteAttempt(id: string, fence: number, outcome: DeliveryOutcome): Promise<boolean>;
  /** Gives a claim back untried. */
  releaseDelivery(id: string, fence: number, nextAttemptAt: Date): Promise<void>;
  /** An earlier delivery of this job to the same receiver that is still pending. */
  earlierDelivery(
    delivery: Pick<WebhookDeliveryRecord, 'job' | 'endpoint' | 'url' | 'order'>,
  ): Promise<{ nextAttemptAt: Date } | undefined>;
  /** Pending ones that are due, that nobody holds and that wait for no paused endpoint, longest due first. */
  dueDeliveries(now: Date): Promise<AsyncIterable<{ _id: string; nextAttemptAt: Date }>>;
  /** Sends a delivery again, due now, whatever became of it. */
  replayDelivery(account: string, id: string, expiresAt: Date): Promise<boolean>;
  /** The same of an endpoint's settled ones whose event was made in that time; the answer is how many. */
  replayDeliveries(
    filter: { account: string; endpoint: string; from: Date; to: Date },
    expiresAt: Date,
  ): Promise<number>;
  /** Makes an endpoint's pending ones due now. */
  hastenDeliveries(account: string, endpoint: string): Promise<void>;
  /** An endpoint's pending ones, oldest first. */
  pendingDeliveries(account: string, endpoint: string): AsyncIterable<{ _id: string }>;
  /** Drops the rows of a job, of an endpoint or of an account; the answer is how many. */
  deleteDeliveries(of: { account: string; endpoint?: string } | { job: string }): Promise<number>;
  deleteDeliveriesOfJobs(jobs: string[]): Promise<void>;
  deliveryIds(of: { job: string } | { account: string }, limit: number): Promise<string[]>;
  deleteDeliveriesById(ids: string[]): Promise<void>;
  /** Removes rows whose time has come; a pending one's comes only where its endpoint was paused all that long. */
  pruneDeliveries(now: Date): Promise<number>;
}

/** The one write that need not outlive the server: a claim that is lost leads to one more call under the same id. */
const CLAIM_OPTIONS = { writeConcern: { w: 1 } } as const;
/** More than one round of retries makes; who replays for ever must not make a row grow for ever. */
const ATTEMPTS_KEPT = 50;

export function createWebhookDeliveriesRepository(
  Endpoint: Model<WebhookEndpointRecord>,
  Delivery: Model<WebhookDeliveryRecord>,
): WebhookDeliveriesRepository {
  return {
    async insertDeliveries(deliveries) {
      for (const delivery of deliveries) {
        await Delivery.create(delivery).catch((error: unknown) => {
          if (!isDuplicateKey(error)) throw error;
        });
      }
    },
    findDelivery: async (id) => (await Delivery.findOne({ _id: id }).lean()) ?? undefined,
    findOwnedDelivery: async (account, id) =>
      (await Delivery.findOne(byId<WebhookDeliveryRecord>(id, { account })).lean()) ?? undefined,
    listDeliveries: ({ account, endpoint, job, status, limit, after }) =>
      Delivery.find({
        account,
        ...(endpoint && { endpoint }),
        ...(job && { job }),
        ...(status && { status }),
        ...older(after),
      })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit)
        .lean(),
    async claimDelivery(delivery, leaseMs) {
      const claimed = { fence: delivery.fence + 1, leaseUntil: new Date(Date.now() + leaseMs) };
      // The fence in the filter makes this a compare-and-set: of two claims that read the same state one matches nothing.
      const { matchedCount } = await Delivery.updateOne(
        byId<WebhookDeliveryRecord>(delivery._id, { status: 'pending', fence: delivery.fence }),
        { $set: claimed },
        CLAIM_OPTIONS,
      );
      return matchedCount === 1 ? { ...delivery, ...claimed } : undefined;
    },
    async noteAttempt(id, fence, { attempt, settled, nextAttemptAt }) {
      const { matchedCount } = await Delivery.updateOne(byId<WebhookDeliveryRecord>(id, { fence, status: 'pending' }), {
        ...(attempt && { $push: { attempts: { $each: [attempt], $slice: -ATTEMPTS_KEPT } } }),
        $unset: { leaseUntil: 1 },
        ...(settled
          ? { $set: { status: settled.status, settledAt: settled.at } }
          : { $set: { nextAttemptAt: nextAttemptAt ?? new Date() } }),
      });
      return matchedCount === 1;
    },
    async releaseDelivery(id, fence, nextAttemptAt) {
      await Delivery.updateOne(byId<WebhookDeliveryRecord>(id, { fence, status: 'pending' }), {
        $set: { nextAttemptAt },
        $unset: { leaseUntil: 1 },
      });
    },
    async earlierDelivery({ job, endpoint, url, order }) {
      if (job === undefined || order === 0) return undefined;
      const receiver = endpoint === undefined ? { endpoint: { $exists: false }, url } : { endpoint };
      const earlier = { job, order: { $lt: order }, status: 'pending' as const, ...receiver };
      return (await Delivery.findOne(earlier, { nextAttemptAt: 1 }).lean()) ?? undefined;
    },
    async dueDeliveries(now) {
      const paused = await Endpoint.find({ status: 'paused' }, { _id: 1 }).lean();
      return Delivery.find(
        {
          status: 'pending',
          nextAttemptAt: { $lte: now },
          $or: [{ leaseUntil: { $exists: false } }, { leaseUntil: { $lte: now } }],
          endpoint: { $nin: paused.map(({ _id }) => _id) },
        },
        { nextAttemptAt: 1 },
      )
        .sort({ nextAttemptAt: 1 })
        .lean()
        .cursor();
    },
    async replayDelivery(account, id, expiresAt) {
      return (
        (await Delivery.updateOne(byId<WebhookDeliveryRecord>(id, { account }), again(expiresAt))).matchedCount === 1
      );
    },
    async replayDeliveries({ account, endpoint, from, to }, expiresAt) {
      const settled = { account, endpoint, createdAt: { $gte: from, $lte: to }, status: { $ne: 'pending' as const } };
      return (await Delivery.updateMany(settled, again(expiresAt))).modifiedCount;
    },
    async hastenDeliveries(account, endpoint) {
      await Delivery.updateMany({ account, endpoint, status: 'pending' }, { $set: { nextAttemptAt: new Date() } });
    },
    pendingDeliveries: (account, endpoint) =>
      Delivery.find({ account, endpoint, status: 'pending' }, { _id: 1 })
        .sort({ createdAt: 1, _id: 1 })
        .lean()
        .cursor(),
    async deleteDeliveries(of) {
      return (await Delivery.deleteMany(of)).deletedCount;
    },
    async deleteDeliveriesOfJobs(jobs) {
      await Delivery.deleteMany({ job: { $in: jobs } });
    },
    async deliveryIds(of, limit) {
      const found = await Delivery.find(of, { _id: 1 }).limit(limit).lean();
      return found.map(({ _id }) => _id);
    },
    async deleteDeliveriesById(ids) {
      await Delivery.deleteMany({ _id: { $in: ids } });
    },
    async pruneDeliveries(now) {
      return (await Delivery.deleteMany({ expiresAt: { $lte: now } })).deletedCount;
    },
  };
}

/** A change that has a delivery sent once more. */
function again(expiresAt: Date) {
  const now = new Date();
  return {
    $set: { status: 'pending' as const, replayedAt: now, nextAttemptAt: now, expiresAt },
    $unset: { settledAt: 1 as const },
  };
}
