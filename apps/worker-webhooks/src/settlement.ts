import type { Database, DeliveryAttempt, WebhookDeliveryRecord } from '@aigolos/db';
import type { Handled } from '@aigolos/queue';
import type { Logger } from '@aigolos/runtime';
import type { Exchanged } from './exchange.ts';
import type { DeliveryMetrics } from './metrics.ts';
import { attemptsOfRound, mayAskForPatience, parseRetryAfter, retryWaitMs } from './retries.ts';

export interface SettlementPlan {
  /** Between one attempt and the next. */
  pausesMs: readonly number[];
  /** An endpoint is paused after so many failed attempts in a row, … */
  pauseAfterFailures: number;
  /** … the first of which is at least so long ago. */
  pauseAfterMs: number;
}

export interface Settlement {
  /** Writes what an attempt came to, and says when the delivery is to be looked at again. */
  attempt(
    delivery: WebhookDeliveryRecord,
    made: {
      at: Date;
      result: Exclude<Exchanged, { outcome: 'stopped' }>;
      /** Had the attempt before this one failed? */
      failing: boolean;
    },
  ): Promise<Handled>;
  /** Ends a delivery whose receiver is not wanted any more. */
  cancel(delivery: WebhookDeliveryRecord): Promise<Handled>;
}

export interface SettlementDeps {
  db: Pick<Database, 'webhooks'>;
  plan: SettlementPlan;
  metrics: DeliveryMetrics;
  log: Logger;
}

const GONE = 410;

export function createSettlement({ db: { webhooks }, plan, metrics, log }: SettlementDeps): Settlement {
  const { pausesMs } = plan;

  /** Paused after repeated failure, so that a receiver that is away for long is not called for each event. */
  async function noteFailure(endpoint: string): Promise<void> {
    const { failures, since } = await webhooks.noteEndpointAttempt(endpoint, false);
    if (failures < plan.pauseAfterFailures || !since || Date.now() - since.getTime() < plan.pauseAfterMs) return;
    await suspend(endpoint, 'paused', `${failures} attempts in a row failed since ${since.toISOString()}.`);
  }

  async function suspend(endpoint: string, status: 'paused' | 'disabled', reason: string): Promise<void> {
    await webhooks.suspendEndpoint(endpoint, status, reason);
    metrics.paused.inc({ status });
    log.warn({ endpoint, status, reason }, 'an endpoint was taken out of use');
  }

  async function write(
    delivery: WebhookDeliveryRecord,
    attempt: DeliveryAttempt,
    waitMs: number | undefined,
  ): Promise<boolean> {
    const now = new Date();
    const delivered = attempt.error === undefined;
    const written = await webhooks.noteAttempt(delivery._id, delivery.fence, {
      attempt,
      ...(waitMs === undefined
        ? { settled: { status: delivered ? 'delivered' : 'failed', at: now } }
        : { nextAttemptAt: new Date(now.getTime() + waitMs) }),
    });
    const outcome = waitMs === undefined ? (delivered ? 'delivered' : 'failed') : 'retried';
    const { _id: id, endpoint, type } = delivery;
    const { status, error, ms } = attempt;
    log[delivered ? 'debug' : 'info'](
      { delivery: id, endpoint, type, outcome, status, ms, reason: error },
      'attempted',
    );
    if (!written) log.warn({ delivery: id }, 'this delivery was taken over meanwhile, or removed');
    metrics.outcomes.inc({ outcome });
    if (delivered) metrics.latency.observe((now.getTime() - delivery.createdAt.getTime()) / 1_000);
    return written;
  }

  return {
    async attempt(delivery, { at, result, failing }) {
      const { endpoint } = delivery;
      const attempt = toAttempt(at, result);
      if (attempt.error === undefined) {
        await write(delivery, attempt, undefined);
        if (endpoint !== undefined && failing) await webhooks.noteEndpointAttempt(endpoint, true);
        return 'done';
      }
      const made = attemptsOfRound(delivery) + 1;
      const waitMs =
        attempt.status === GONE ? undefined : retryWaitMs(made, { pausesMs, retryAfterMs: askedPatience(result) });
      if (endpoint !== undefined) {
        if (attempt.status === GONE) await suspend(endpoint, 'disabled', 'The receiver answered 410: it is gone.');
        else await noteFailure(endpoint);
      }
      const written = await write(delivery, attempt, waitMs);
      return waitMs === undefined || !written ? 'done' : { againAfterMs: waitMs };
    },
    async cancel(delivery) {
      await webhooks.noteAttempt(delivery._id, delivery.fence, { settled: { status: 'cancelled', at: new Date() } });
      metrics.outcomes.inc({ outcome: 'cancelled' });
      return 'done';
    },
  };
}

/** Only 2xx is success; a redirect is not, as what it names was not checked and not asked for. */
function toAttempt(at: Date, result: Exclude<Exchanged, { outcome: 'stopped' }>): DeliveryAttempt {
  const ms = Date.now() - at.getTime();
  if (result.outcome === 'failed') return { at, ms, error: result.error };
  const { status } = result;
  if (status >= 200 && status < 300) return { at, status, ms };
  const followed = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  return { at, status, ms, error: `the receiver answered ${status}${followed}` };
}

function askedPatience(result: Exchanged): number | undefined {
  if (result.outcome !== 'answered' || !mayAskForPatience(result.status)) return undefined;
  return parseRetryAfter(result.retryAfter, new Date());
}
