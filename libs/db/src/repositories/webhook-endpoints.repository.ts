import type { JobEventType } from '@aigolos/contracts';
import type { Model } from 'mongoose';
import type { EndpointStatus, WebhookEndpointRecord, WebhookSecrets } from '../models/webhook.model.ts';
import { older, type PageFilter } from './page.ts';

export interface WebhookEndpointsRepository {
  insertEndpoint(endpoint: WebhookEndpointRecord): Promise<void>;
  findEndpoint(id: string): Promise<WebhookEndpointRecord | undefined>;
  findOwnedEndpoint(account: string, id: string): Promise<WebhookEndpointRecord | undefined>;
  /** Newest first. */
  listEndpoints(filter: { account: string } & PageFilter): Promise<WebhookEndpointRecord[]>;
  /** Those of these accounts that rows are made for: active and paused ones that asked for one of these types. */
  endpointsFor(accounts: readonly string[], types: readonly JobEventType[]): Promise<WebhookEndpointRecord[]>;
  /** Changes what is given; `undefined` where the account has no such endpoint. */
  updateEndpoint(
    account: string,
    id: string,
    change: Partial<Pick<WebhookEndpointRecord, 'url' | 'events' | 'description' | 'status'>>,
  ): Promise<WebhookEndpointRecord | undefined>;
  /** Puts new secrets in place of those whose current one is given; `false` where they are others by now. */
  replaceEndpointSecrets(
    account: string,
    id: string,
    replaced: { current: string; secrets: WebhookSecrets },
  ): Promise<boolean>;
  deleteEndpoint(account: string, id: string): Promise<boolean>;
  /** Counts a failed attempt, or begins to count anew after one that succeeded; the answer is how many failed in a row since when. */
  noteEndpointAttempt(id: string, succeeded: boolean): Promise<{ failures: number; since?: Date }>;
  /** Takes an active endpoint out of use. */
  suspendEndpoint(id: string, status: Exclude<EndpointStatus, 'active'>, reason: string): Promise<void>;
  endpointIds(account: string): Promise<string[]>;
  deleteEndpointsOf(account: string): Promise<number>;
}

const ENDPOINTS_AT_ONCE = 1_000;

export function createWebhookEndpointsRepository(Endpoint: Model<WebhookEndpointRecord>): WebhookEndpointsRepository {
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
    endpointsFor: (accounts, types) =>
      Endpoint.find({ account: { $in: [...accounts] }, events: { $in: [...types] }, status: { $ne: 'disabled' } })
        .limit(ENDPOINTS_AT_ONCE * accounts.length)
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
    async replaceEndpointSecrets(account, id, { current, secrets }) {
      const { matchedCount } = await Endpoint.updateOne(
        { _id: id, account, 'secrets.current': current },
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
    async endpointIds(account) {
      const found = await Endpoint.find({ account }, { _id: 1 }).lean();
      return found.map(({ _id }) => _id);
    },
    async deleteEndpointsOf(account) {
      return (await Endpoint.deleteMany({ account })).deletedCount;
    },
  };
}
