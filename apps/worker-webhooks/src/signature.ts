import type { WebhookDeliveryRecord, WebhookSecrets } from '@aigolos/db';
import { Webhook } from 'standardwebhooks';

const USER_AGENT = 'AIGolos-Webhooks/1';

/**
 * The headers of one attempt, by Standard Webhooks 1.0.0: the id of the event, the same at every attempt; the time of this one in
 * Unix seconds; and a signature with each secret that is in force, separated by a space.
 */
export function signedHeaders(
  { event, body }: Pick<WebhookDeliveryRecord, 'event' | 'body'>,
  { current, previous, previousUntil }: WebhookSecrets,
  now: Date,
): Record<string, string> {
  const inForce = [current];
  if (previous !== undefined && previousUntil !== undefined && previousUntil > now) inForce.push(previous);
  return {
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
    'webhook-id': event,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': inForce.map((secret) => new Webhook(secret).sign(event, now, body)).join(' '),
  };
}
