import type { JobEventType } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '../errors.ts';
import type {
  DeliveryAttempt,
  DeliveryStatus,
  EndpointStatus,
  WebhookDeliveryRecord,
  WebhookEndpointRecord,
  WebhookSecrets,
} from '../models/webhook.model.ts';

/** What one attempt came to, written together. */
export interface DeliveryOutcome {
  /** Absent where it came to none, as the receiver is not wanted any more. */
  attempt?: DeliveryAttempt;
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
    change: Partial<Pick<WebhookEndpointRecord, 'url' | 'events' | 'description' | 'status'>>,
  ): Promise<WebhookEndpointRecord | undefined>;
  /** Puts new secrets in place of those whose current one is given; `false` where they are others by now. */
  replaceEndpointSecrets(id: string, current: string, secrets: WebhookSecrets): Promise<boolean>;
  deleteEndpoint(account: string, id: string): Promise<boolean>;
  /** Counts a failed attempt, or begins to count anew after one that succeeded; the answer is how many failed in a row since when. */
  noteEndpointAttempt(id: string, succeeded: boolean): Promise<{ failures: number; since?: Date }>;
  /** Takes an active endpoint out of use. */
  suspendEndpoint(id: string, status: Exclude<EndpointStatus, 'active'>, reason: string): Promise<void>;

  /** Inserts those that are not there yet. */
  insertDeliveries(deliveries: WebhookDeliveryRecord[]): Promise<void>;
  findDelivery(id: string): Promise<WebhookDeliveryRecord | undefined>;
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
  replayDelivery(id: string, expiresAt: Date): Promise<boolean>;
  /** The same of an endpoint's settled ones whose event was made in that time; the answer is how many. */
  replayDeliveries(filter: { endpoint: string; from: Date; to: Date }, expiresAt: Date): Promise<number>;
  /** Makes an endpoint's pending ones due now. */
  hastenDeliveries(endpoint: string): Promise<void>;
  /** An endpoint's pending ones, oldest first. */
  pendingDeliveries(endpoint: string): AsyncIterable<{ _id: string }>;
  /** Drops the rows of a job, of an endpoint or of an account; the answer is how many. */
  deleteDeliveries(of: { job: string } | { endpoint: string } | { account: string }): Promise<number>;
  deliveryIds(of: { job: string } | { account: string }, limit: number): Promise<string[]>;
  deleteDeliveriesById(ids: string[]): Promise<void>;
  endpointIds(account: string): Promise<string[]>;
  deleteEndpointsOf(account: string): Promise<number>;
  /** Removes rows whose time has come; a pending one's comes only where its endpoint was paused all that long. */
  pruneDeliveries(now: Date): Promise<number>;
}

/** The one write that need not outlive the server: a claim that is lost leads to one more call under the same id. */
const CLAIM_OPTIONS = { writeConcern: { w: 1 } } as const;
const ENDPOINTS_AT_ONCE = 1_000;
/** More than one round of retries makes; who replays for ever must not make a row grow for ever. */
const ATTEMPTS_KEPT = 50;

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
          ...(resumed && { $unset: { statusReason: 1, failingSince: 1 } }),
        },
      );
      return findOwnedEndpoint(account, id);
    },
    async replaceEndpointSecrets(id, current, secrets) {
      const { matchedCount } = await Endpoint.updateOne(
        { _id: id, 'secrets.current': current },
        { $set: { secrets, updatedAt: new Date() } },
      );
      return matchedCount === 1;
    },
    async deleteEndpoint(account, id) {
      return (await Endpoint.deleteOne({ _id: id, account })).deletedCount === 1;
    },
    async noteEndpointAttempt(id, succeeded) {
      if (succeeded) {
        await Endpoint.updateOne(
          { _id: id, failuresInRow: { $gt: 0 } },
          { $set: { failuresInRow: 0 }, $unset: { failingSince: 1 } },
        );
        return { failures: 0 };
      }
      await Endpoint.updateOne({ _id: id }, { $inc: { failuresInRow: 1 }, $min: { failingSince: new Date() } });
      const noted = await Endpoint.findOne({ _id: id }, { failuresInRow: 1, failingSince: 1 }).lean();
      return { failures: noted?.failuresInRow ?? 0, ...(noted?.failingSince && { since: noted.failingSince }) };
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
        { _id: delivery._id, status: 'pending', fence: delivery.fence },
        { $set: claimed },
        CLAIM_OPTIONS,
      );
      return matchedCount === 1 ? { ...delivery, ...claimed } : undefined;
    },
    async noteAttempt(id, fence, { attempt, settled, nextAttemptAt }) {
      const { matchedCount } = await Delivery.updateOne(
        { _id: id, fence, status: 'pending' },
        {
          ...(attempt && { $push: { attempts: { $each: [attempt], $slice: -ATTEMPTS_KEPT } } }),
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
    async replayDelivery(id, expiresAt) {
      return (await Delivery.updateOne({ _id: id }, again(expiresAt))).matchedCount === 1;
    },
    async replayDeliveries({ endpoint, from, to }, expiresAt) {
      const settled = { endpoint, createdAt: { $gte: from, $lte: to }, status: { $ne: 'pending' as const } };
      return (await Delivery.updateMany(settled, again(expiresAt))).modifiedCount;
    },
    async hastenDeliveries(endpoint) {
      await Delivery.updateMany({ endpoint, status: 'pending' }, { $set: { nextAttemptAt: new Date() } });
    },
    pendingDeliveries: (endpoint) =>
      Delivery.find({ endpoint, status: 'pending' }, { _id: 1 }).sort({ createdAt: 1, _id: 1 }).lean().cursor(),
    async deleteDeliveries(of) {
      return (await Delivery.deleteMany(of)).deletedCount;
    },
    async deliveryIds(of, limit) {
      const found = await Delivery.find(of, { _id: 1 }).limit(limit).lean();
      return found.map(({ _id }) => _id);
    },
    async deleteDeliveriesById(ids) {
      await Delivery.deleteMany({ _id: { $in: ids } });
    },
    async endpointIds(account) {
      const found = await Endpoint.find({ account }, { _id: 1 }).lean();
      return found.map(({ _id }) => _id);
    },
    async deleteEndpointsOf(account) {
      return (await Endpoint.deleteMany({ account })).deletedCount;
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
