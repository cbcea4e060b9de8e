import { ConflictError, NotFoundError } from '@aigolos/contracts';
import type {
  DeliveryStatus,
  EndpointStatus,
  OwnedRecords,
  WebhookDeliveryRecord,
  WebhookEndpointRecord,
} from '@aigolos/db';
import { announceTest, replayDelivery, replaySince, type WebhookDeps } from '@aigolos/lifecycle';
import type { WebhookEndpoints } from './webhook-endpoints.service.ts';

/** What was sent to an account's receivers, and sending it again. */
export interface WebhookDeliveries {
  /** Newest first. `after` is the id of the last one of the page before. */
  list(filter: {
    account: string;
    limit: number;
    after?: string | undefined;
    endpoint?: string | undefined;
    job?: string | undefined;
    status?: DeliveryStatus | undefined;
  }): Promise<{ deliveries: WebhookDeliveryRecord[]; hasMore: boolean }>;
  /** Sends an event that means nothing, to a paused one too. @throws ConflictError where the endpoint is disabled. */
  test(account: string, endpoint: string): Promise<WebhookDeliveryRecord>;
  /** Sends one again, to the endpoint where one is named. @throws NotFoundError; ConflictError where its endpoint is not active. */
  replay(account: string, id: string, endpoint?: string): Promise<WebhookDeliveryRecord>;
  /** Sends again what was settled of the events since then; the answer is how many. @throws ConflictError */
  replaySince(account: string, endpoint: string, since: Date): Promise<number>;
}

export function createWebhookDeliveries(
  deps: WebhookDeps,
  endpoints: Pick<WebhookEndpoints, 'get'>,
): WebhookDeliveries {
  const webhooks: OwnedRecords['webhooks'] = deps.db.webhooks;

  async function get(account: string, id: string, endpoint?: string): Promise<WebhookDeliveryRecord> {
    const found = await webhooks.findOwnedDelivery(account, id);
    if (found && (endpoint === undefined || found.endpoint === endpoint)) return found;
    throw new NotFoundError(`There is no webhook delivery ${id}.`, { code: 'WEBHOOK_DELIVERY_NOT_FOUND' });
  }

  async function getOneInUse(
    account: string,
    id: string,
    statuses: EndpointStatus[] = ['active'],
  ): Promise<WebhookEndpointRecord> {
    const endpoint = await endpoints.get(account, id);
    if (statuses.includes(endpoint.status)) return endpoint;
    throw new ConflictError(`Webhook endpoint ${id} is ${endpoint.status}: set its status to active first.`, {
      code: 'WEBHOOK_ENDPOINT_NOT_ACTIVE',
    });
  }

  return {
    async list({ account, limit, after, endpoint, job, status }) {
      if (endpoint !== undefined) await endpoints.get(account, endpoint);
      const last = after === undefined ? undefined : await get(account, after, endpoint);
      const found = await webhooks.listDeliveries({ account, limit: limit + 1, after: last, endpoint, job, status });
      return { deliveries: found.slice(0, limit), hasMore: found.length > limit };
    },
    // One that is paused is tested before it is used again.
    test: async (account, endpoint) => announceTest(deps, await getOneInUse(account, endpoint, ['active', 'paused'])),
    async replay(account, id, endpoint) {
      if (endpoint !== undefined) await endpoints.get(account, endpoint);
      const delivery = await get(account, id, endpoint);
      if (delivery.endpoint !== undefined) await getOneInUse(account, delivery.endpoint);
      await replayDelivery(deps, account, id);
      return get(account, id, endpoint);
    },
    async replaySince(account, endpoint, since) {
      await getOneInUse(account, endpoint);
      return replaySince(deps, { account, endpoint }, since);
    },
  };
}
