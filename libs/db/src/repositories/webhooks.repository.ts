import type { JobEventType } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type {
  DeliveryAttempt,
  DeliveryStatus,
  EndpointStatus,
  WebhookDeliveryRecord,
  WebhookEndpointRecord,
} from '../models/webhook.model.ts';

/** What one attempt came to, written together. */
export interface DeliveryOutcome {
  attempt: DeliveryAttempt;
  /** Absent while it is to be tried again. */
  settled?: { status: Exclude<DeliveryStatus, 'pending'>; at: Date };
  nextAttemptAt?: Date;
}

export interface PageFilter {
  limit: number;
  /** The last record of the page before. */
  after?: { _id: string; createdAt: Date } | undefined;
}

export interface WebhooksRepository {
  insertEndpoint(endpoint: WebhookEndpointRecord): Promise<void>;
  findEndpoint(id: string): Promise<WebhookEndpointRecord | undefined>;
  findOwnedEndpoint(account: string, id: string): Promise<WebhookEndpointRecord | undefined>;
  /** Newest first. */
  listEndpoints(filter: { account: string } & PageFilter): Promise<WebhookEndpointRecord[]>;
  /** Those that rows are made for: active and paused ones that asked for this type. */
  endpointsFor(account: string, type: JobEventType): Promise<WebhookEndpointRecord[]>;
  /** Changes what is given; `undefined` where the account has no such endpoint. */
  updateEndpoint(
    account: string,
    id: string,
    change: Partial<Pick<WebhookEndpointRecord, 'url' | 'events' | 'description' | 'status' | 'secrets'>>,
  ): Promise<WebhookEndpointRecord | undefined>;
  deleteEndpoint(account: string, id: string): Promise<boolean>;
  /** Counts a failed attempt, or begins to count anew after one that succeeded; the answer is the count. */
  noteEndpointAttempt(id: string, succeeded: boolean): Promise<number>;
  /** Takes an active endpoint out of use. */
  suspendEndpoint(id: string, status: Exclude<EndpointStatus, 'active'>, reason: string): Promise<void>;

  /** Inserts those that are not there yet. */
  insertDeliveries(deliveries: WebhookDeliveryRecord[]): Promise<void>;
  findDelivery(id: string): Promise<WebhookDeliveryRecord | undefined>;
  /** Newest first. */
  listDeliveries(
    filter: { account: string; endpoint?: string; status?: DeliveryStatus | undefined } & PageFilter,
  ): Promise<WebhookDeliveryRecord[]>;
  /** Takes a pending delivery that is due and that nobody holds. At most one caller wins. */
  claimDelivery(id: string, leaseMs: number): Promise<WebhookDeliveryRecord | undefined>;
  /** Writes what an attempt came to, if this claim still stands. */
  noteAttempt(id: string, fence: number, outcome: DeliveryOutcome): Promise<boolean>;
  /** Gives a claim back untried. */
  releaseDelivery(id: string, fence: number, nextAttemptAt: Date): Promise<void>;
  /** Is an earlier delivery of this job to the same receiver still pending? */
  hasEarlierDelivery(delivery: Pick<WebhookDeliveryRecord, 'job' | 'endpoint' | 'url' | 'order'>): Promise<boolean>;
  /** Pending ones that are due and that nobody holds, longest due first. */
  dueDeliveries(now: Date): AsyncIterable<{ _id: string; endpoint?: string }>;
  /** Makes settled ones pending again, due now; the answer is their ids. */
  replayDeliveries(ids: string[], expiresAt: Date): Promise<string[]>;
  /** Ids of an endpoint's deliveries whose event was made since then. */
  deliveriesSince(endpoint: string, since: Date, limit: number): Promise<string[]>;
  /** Drops the rows of a job, of an endpoint or of an account; the answer is how many. */
  deleteDeliveries(of: { job: string } | { endpoint: string } | { account: string }): Promise<number>;
  deleteEndpointsOf(account: string): Promise<number>;
  /** Removes rows whose time has come. */
  pruneDeliveries(now: Date): Promise<number>;
}

const ENDPOINTS_AT_ONCE = 1_000;

export function createWebhooksRepository(
  Endpoint: Model<WebhookEndpointRecord>,
  Delivery: Model<WebhookDeliveryRecord>,
): WebhooksRepository {
  const older = (after: PageFilter['after']) =>
    after && {
      $or: [{ createdAt: { $lt: after.createdAt } }, { createdAt: after.createdAt, _id: { $lt: after._id } }],
    };
  const findOwnedEndpoint = async (account: string, id: string) =>
    (await Endpoint.findOne({ _id: id, account }).lean()) ?? undefined;

  return {
    async insertEndpoint(endpoint) {
      await Endpoint.create(endpoint);
    },
    findEndpoint: async (id) => (await Endpoint.findOne({ _id: id }).lean()) ?? undefined,
    findOwnedEndpoint,
    listEndpoints: ({ account, limit, after }) =>
      Endpoint.find({ account, ...older(after) })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit)
        .lean(),
    endpointsFor: (account, type) =>
      Endpoint.find({ account, events: type, status: { $ne: 'disabled' } })
        .limit(ENDPOINTS_AT_ONCE)
        .lean(),
    async updateEndpoint(account, id, change) {
      const resumed = change.status === 'active';
      await Endpoint.updateOne(
        { _id: id, account },
        {
          $set: { ...change, updatedAt: new Date(), ...(resumed && { failuresInRow: 0 }) },
          ...(resumed && { $unset: { statusReason: 1 } }),
        },
      );
      return findOwnedEndpoint(account, id);
    },
    async deleteEndpoint(account, id) {
      return (await Endpoint.deleteOne({ _id: id, account })).deletedCount === 1;
    },
    async noteEndpointAttempt(id, succeeded) {
      if (succeeded) {
        await Endpoint.updateOne({ _id: id, failuresInRow: { $gt: 0 } }, { $set: { failuresInRow: 0 } });
        return 0;
      }
      await Endpoint.updateOne({ _id: id }, { $inc: { failuresInRow: 1 } });
      return (await Endpoint.findOne({ _id: id }, { failuresInRow: 1 }).lean())?.failuresInRow ?? 0;
    },
    async suspendEndpoint(id, status, reason) {
      await Endpoint.updateOne(
        { _id: id, status: 'active' },
        { $set: { status, statusReason: reason, updatedAt: new Date() } },
      );
    },

    async insertDeliveries(deliveries) {
      for (const delivery of deliveries) {
        await Delivery.create(delivery).catch((error: unknown) => {
          if (!isDuplicateKey(error)) throw error;
        });
      }
    },
    findDelivery: async (id) => (await Delivery.findOne({ _id: id }).lean()) ?? undefined,
    listDeliveries: ({ account, endpoint, status, limit, after }) =>
      Delivery.find({ account, ...(endpoint && { endpoint }), ...(status && { status }), ...older(after) })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit)
        .lean(),
    async claimDelivery(id, leaseMs) {
      const delivery = await Delivery.findOne({ _id: id }).lean();
      const now = new Date();
      if (!delivery || delivery.status !== 'pending' || delivery.nextAttemptAt > now) return undefined;
      if (delivery.leaseUntil && delivery.leaseUntil > now) return undefined;
      const claimed = { fence: delivery.fence + 1, leaseUntil: new Date(now.getTime() + leaseMs) };
      // The fence in the filter makes this a compare-and-set: of two claims that read the same state one matches nothing.
      const { matchedCount } = await Delivery.updateOne(
        { _id: id, status: 'pending', fence: delivery.fence },
        { $set: claimed },
      );
      return matchedCount === 1 ? { ...delivery, ...claimed } : undefined;
    },
    async noteAttempt(id, fence, { attempt, settled, nextAttemptAt }) {
      const { matchedCount } = await Delivery.updateOne(
        { _id: id, fence, status: 'pending' },
        {
          $push: { attempts: attempt },
          $unset: { leaseUntil: 1 },
          ...(settled
            ? { $set: { status: settled.status, settledAt: settled.at } }
            : { $set: { nextAttemptAt: nextAttemptAt ?? new Date() } }),
        },
      );
      return matchedCount === 1;
    },
    async releaseDelivery(id, fence, nextAttemptAt) {
      await Delivery.updateOne(
        { _id: id, fence, status: 'pending' },
        { $set: { nextAttemptAt }, $unset: { leaseUntil: 1 } },
      );
    },
    async hasEarlierDelivery({ job, endpoint, url, order }) {
      if (job === undefined || order === 0) return false;
      const receiver = endpoint === undefined ? { endpoint: { $exists: false }, url } : { endpoint };
      const earlier = { job, order: { $lt: order }, status: 'pending' as const, ...receiver };
      return (await Delivery.findOne(earlier, { _id: 1 }).lean()) !== null;
    },
    dueDeliveries: (now) =>
      Delivery.find(
        {
          status: 'pending',
          nextAttemptAt: { $lte: now },
          $or: [{ leaseUntil: { $exists: false } }, { leaseUntil: { $lte: now } }],
        },
        { endpoint: 1 },
      )
        .sort({ nextAttemptAt: 1 })
        .lean()
        .cursor(),
    async replayDeliveries(ids, expiresAt) {
      const replayed: string[] = [];
      for (const id of ids) {
        const { matchedCount } = await Delivery.updateOne(
          { _id: id, status: { $ne: 'pending' } },
          {
            $set: { status: 'pending', nextAttemptAt: new Date(), expiresAt },
            $unset: { settledAt: 1, leaseUntil: 1 },
          },
        );
        if (matchedCount === 1) replayed.push(id);
      }
      return replayed;
    },
    async deliveriesSince(endpoint, since, limit) {
      const found = await Delivery.find({ endpoint, createdAt: { $gte: since } }, { _id: 1 })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit)
        .lean();
      return found.map(({ _id }) => _id).toReversed();
    },
    async deleteDeliveries(of) {
      return (await Delivery.deleteMany(of)).deletedCount;
    },
    async deleteEndpointsOf(account) {
      return (await Endpoint.deleteMany({ account })).deletedCount;
    },
    async pruneDeliveries(now) {
      return (await Delivery.deleteMany({ expiresAt: { $lte: now }, status: { $ne: 'pending' } })).deletedCount;
    },
  };
}
