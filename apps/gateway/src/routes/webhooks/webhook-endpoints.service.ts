import {
  NotFoundError,
  newId,
  ValidationError,
  WEBHOOK_LIMITS,
  type WebhookEndpointPatch,
  type WebhookEndpointRequest,
} from '@aigolos/contracts';
import type { Database, WebhookEndpointRecord, WebhookSecrets } from '@aigolos/db';
import type { EgressRules } from '@aigolos/egress';
import { resumeDeliveries, rotatedSecrets, type WebhookDeps } from '@aigolos/lifecycle';

export interface WebhookEndpointsDeps extends WebhookDeps {
  db: WebhookDeps['db'] & Pick<Database, 'access'>;
  rules: Pick<EgressRules, 'urlRefusal'>;
}

/** Where an account wants to be called back, and what its webhooks are signed with. */
export interface WebhookEndpoints {
  /** @throws ValidationError where webhooks cannot go to the URL, or the account has enough endpoints. */
  create(account: string, request: WebhookEndpointRequest): Promise<WebhookEndpointRecord>;
  /** @throws NotFoundError where there is none, or it is another account's. */
  get(account: string, id: string): Promise<WebhookEndpointRecord>;
  /** Newest first. `after` is the id of the last one of the page before. */
  list(
    account: string,
    page: { limit: number; after?: string | undefined },
  ): Promise<{ endpoints: WebhookEndpointRecord[]; hasMore: boolean }>;
  /** Made active, it gets what waits for it, at once. */
  update(account: string, id: string, patch: WebhookEndpointPatch): Promise<WebhookEndpointRecord>;
  /** Drops its deliveries too. */
  remove(account: string, id: string): Promise<void>;
  /** Gives it a new secret; the one before signs too for so long. */
  rotateSecret(account: string, id: string, overlapSeconds: number): Promise<WebhookSecrets>;
  /** The same of the account's own, which signs what goes to URLs that its jobs name; makes it where there is none. */
  rotateAccountSecret(account: string, overlapSeconds: number): Promise<WebhookSecrets>;
  /** @throws ValidationError where a job of this account may not name this URL, with what to do. */
  assertCallable(account: string, url: string): Promise<void>;
}

export function createWebhookEndpoints(deps: WebhookEndpointsDeps): WebhookEndpoints {
  const { db, rules } = deps;

  async function get(account: string, id: string): Promise<WebhookEndpointRecord> {
    return (await db.webhooks.findOwnedEndpoint(account, id)) ?? notFound(id);
  }

  return {
    get,
    async create(account, { url, events, description }) {
      assertReceiver(url, rules);
      const { endpointsPerAccount: limit } = WEBHOOK_LIMITS;
      if ((await db.webhooks.listEndpoints({ account, limit })).length === limit) {
        throw new ValidationError(`An account has at most ${limit} webhook endpoints: delete one first.`);
      }
      const now = new Date();
      const endpoint: WebhookEndpointRecord = {
        _id: newId('webhookEndpoint'),
        account,
        url,
        events,
        description,
        status: 'active',
        secrets: rotatedSecrets(undefined, 0),
        failuresInRow: 0,
        createdAt: now,
        updatedAt: now,
      };
      await db.webhooks.insertEndpoint(endpoint);
      return endpoint;
    },

    async list(account, { limit, after }) {
      const last = after === undefined ? undefined : await get(account, after);
      const found = await db.webhooks.listEndpoints({ account, limit: limit + 1, after: last });
      return { endpoints: found.slice(0, limit), hasMore: found.length > limit };
    },

    async update(account, id, { url, events, description, status }) {
      if (url !== undefined) assertReceiver(url, rules);
      const change = {
        ...(url !== undefined && { url }),
        ...(events !== undefined && { events }),
        ...(description !== undefined && { description }),
        ...(status !== undefined && { status }),
      };
      const endpoint = (await db.webhooks.updateEndpoint(account, id, change)) ?? notFound(id);
      if (status === 'active') await resumeDeliveries(deps, account, id);
      return endpoint;
    },

    async remove(account, id) {
      if (!(await db.webhooks.deleteEndpoint(account, id))) notFound(id);
      await db.webhooks.deleteDeliveries({ account, endpoint: id });
    },

    async rotateSecret(account, id, overlapSeconds) {
      for (;;) {
        const { secrets: before } = await get(account, id);
        const secrets = rotatedSecrets(before, overlapSeconds);
        // Of two rotations at once the second comes after the first: neither shows a secret that never signs.
        if (await db.webhooks.replaceEndpointSecrets(account, id, { current: before.current, secrets })) return secrets;
      }
    },

    async rotateAccountSecret(account, overlapSeconds) {
      for (;;) {
        const found = await db.access.accountById(account);
        if (!found) throw new NotFoundError('This account has been deleted.', { code: 'ACCOUNT_NOT_FOUND' });
        const secrets = rotatedSecrets(found.webhookSecrets, overlapSeconds);
        if (await db.access.replaceWebhookSecrets(account, found.webhookSecrets?.current, secrets)) return secrets;
      }
    },

    async assertCallable(account, url) {
      assertReceiver(url, rules);
      if ((await db.access.accountById(account))?.webhookSecrets) return;
      throw new ValidationError(
        'This account has no secret yet that signs webhooks to URLs of single jobs: make it with POST /v1/account/rotate_webhook_secret, which shows it once.',
      );
    },
  };
}

/** Holds a URL to all that can be known without a look at its name's addresses: those are checked whenever a connection is made. */
function assertReceiver(text: string, { urlRefusal }: WebhookEndpointsDeps['rules']): void {
  const url = URL.parse(text);
  const refusal = url ? urlRefusal(url) : 'must be an https:// URL';
  if (refusal === undefined) return;
  throw new ValidationError(`The webhook URL ${refusal}.`, { issues: [{ path: 'url', message: refusal }] });
}

function notFound(id: string): never {
  throw new NotFoundError(`There is no webhook endpoint ${id}.`, { code: 'WEBHOOK_ENDPOINT_NOT_FOUND' });
}
