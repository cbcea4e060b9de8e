import type { Database, WebhookDeliveryRecord, WebhookSecrets } from '@aigolos/db';
import type { Handled } from '@aigolos/queue';
import type { Logger } from '@aigolos/runtime';
import { type ExchangeDeps, type Exchanged, exchange } from './exchange.ts';
import type { DeliveryMetrics } from './metrics.ts';
import type { ReceiverSlots } from './receiver-slots.ts';
import { createSettlement, type SettlementPlan } from './settlement.ts';
import { signedHeaders } from './signature.ts';

export interface DelivererDeps {
  db: Pick<Database, 'webhooks' | 'access'>;
  slots: ReceiverSlots;
  exchanges: ExchangeDeps;
  plan: SettlementPlan;
  metrics: DeliveryMetrics;
  log: Logger;
}

export interface Deliverer {
  handle(deliveryId: string): Promise<Handled>;
  /** Breaks off what is being sent; it is sent again by another process. */
  abortAll(): void;
}

/** Where a delivery goes and what signs it; or that nobody wants it any more, or not now. */
type Receiver = { url: string; secrets: WebhookSecrets; failing: boolean } | 'gone' | 'paused';

/** A lease outlives the attempt that it is for. */
const LEASE_MARGIN_MS = 5_000;
const EARLIER_LEAST_MS = 250;
const EARLIER_MOST_MS = 60_000;

/**
 * Delivers at least once: what was sent is only written down after the answer, so whatever dies in between, it is sent again
 * under the same id. Who sends holds a lease on the row; of the rows of one job to one receiver the earlier is settled first.
 */
export function createDeliverer({ db, slots, exchanges, plan, metrics, log }: DelivererDeps): Deliverer {
  const stopping = new AbortController();
  const settle = createSettlement({ db, plan, metrics, log });
  const leaseMs = exchanges.timeoutMs + LEASE_MARGIN_MS;

  async function receiverOf({ endpoint, account, url, type }: WebhookDeliveryRecord): Promise<Receiver> {
    if (endpoint === undefined) {
      const secrets = (await db.access.accountById(account))?.webhookSecrets;
      return secrets ? { url, secrets, failing: false } : 'gone';
    }
    const found = await db.webhooks.findEndpoint(endpoint);
    if (!found || found.status === 'disabled') return 'gone';
    if (found.status === 'paused' && type !== 'endpoint.test') return 'paused';
    return { url: found.url, secrets: found.secrets, failing: found.failuresInRow > 0 };
  }

  async function deliver(delivery: WebhookDeliveryRecord): Promise<Handled> {
    const receiver = await receiverOf(delivery);
    if (receiver === 'gone') return settle.cancel(delivery);
    // It waits in the database: whoever resumes the endpoint, or the next search for what is due, puts it back.
    if (receiver === 'paused') return 'done';
    const earlier = await db.webhooks.earlierDelivery(delivery);
    if (!earlier) return send(delivery, receiver);
    const waitMs = earlier.nextAttemptAt.getTime() - Date.now();
    return { againAfterMs: Math.min(EARLIER_MOST_MS, Math.max(EARLIER_LEAST_MS, waitMs)) };
  }

  async function send(delivery: WebhookDeliveryRecord, receiver: Exclude<Receiver, string>): Promise<Handled> {
    const claimed = await db.webhooks.claimDelivery(delivery, leaseMs);
    if (!claimed) return { againAfterMs: EARLIER_LEAST_MS };
    const at = new Date();
    const headers = signedHeaders(claimed, receiver.secrets, at);
    const { url } = receiver;
    const result: Exchanged = await exchange({ url, headers, body: claimed.body }, exchanges, stopping.signal);
    if (result.outcome === 'stopped') {
      await db.webhooks.releaseDelivery(claimed._id, claimed.fence, claimed.nextAttemptAt);
      return { againAfterMs: 0 };
    }
    return settle.attempt(claimed, { at, result, failing: receiver.failing });
  }

  return {
    async handle(deliveryId) {
      if (stopping.signal.aborted) return { againAfterMs: 0 };
      const busyForMs = slots.busyForMs(deliveryId);
      if (busyForMs !== undefined) return { againAfterMs: busyForMs };
      const delivery = await db.webhooks.findDelivery(deliveryId);
      if (delivery?.status !== 'pending') return 'done';
      const now = Date.now();
      const dueAt = Math.max(delivery.nextAttemptAt.getTime(), delivery.leaseUntil?.getTime() ?? 0);
      if (dueAt > now) return { againAfterMs: dueAt - now };
      const slot = slots.take(delivery.endpoint ?? `${delivery.account} ${delivery.url}`, deliveryId);
      if ('busyForMs' in slot) return { againAfterMs: slot.busyForMs };
      try {
        return await deliver(delivery);
      } finally {
        slot.free();
      }
    },
    abortAll: () => stopping.abort(),
  };
}
