import type { WebhookDeliveryView, WebhookEndpointView, WebhookSecretView } from '@aigolos/contracts';
import type { WebhookDeliveryRecord, WebhookEndpointRecord, WebhookSecrets } from '@aigolos/db';
import { unixSeconds } from '../../answers/job-view.ts';

/** An endpoint as its owner sees it: without its secrets. */
export function toEndpointView(endpoint: WebhookEndpointRecord): WebhookEndpointView {
  const { _id: id, url, events, description, status, statusReason, secrets, failuresInRow } = endpoint;
  return {
    id,
    object: 'webhook_endpoint',
    url,
    events,
    description,
    status,
    status_reason: statusReason ?? null,
    failures_in_row: failuresInRow,
    previous_secret_until: previousUntil(secrets),
    created_at: unixSeconds(endpoint.createdAt),
    updated_at: unixSeconds(endpoint.updatedAt),
  };
}

/** A secret as it is shown once. */
export function toSecretView(secrets: WebhookSecrets): WebhookSecretView {
  return { object: 'webhook_secret', secret: secrets.current, previous_secret_until: previousUntil(secrets) };
}

export function toDeliveryView(delivery: WebhookDeliveryRecord): WebhookDeliveryView {
  const { _id: id, event, type, job, endpoint, url, status, attempts, nextAttemptAt, settledAt } = delivery;
  return {
    id,
    object: 'webhook_delivery',
    event,
    type,
    job: job ?? null,
    endpoint: endpoint ?? null,
    url,
    status,
    attempts: attempts.map((attempt) => ({
      at: unixSeconds(attempt.at),
      http_status: attempt.status ?? null,
      duration_ms: attempt.ms,
      error: attempt.error ?? null,
    })),
    next_attempt_at: status === 'pending' ? unixSeconds(nextAttemptAt) : null,
    created_at: unixSeconds(delivery.createdAt),
    settled_at: settledAt ? unixSeconds(settledAt) : null,
    expires_at: unixSeconds(delivery.expiresAt),
  };
}

function previousUntil({ previousUntil: until }: WebhookSecrets): number | null {
  return until && until > new Date() ? unixSeconds(until) : null;
}
