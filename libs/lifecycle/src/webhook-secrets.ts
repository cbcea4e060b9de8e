import { randomBytes } from 'node:crypto';
import type { WebhookSecrets } from '@aigolos/db';

/** Standard Webhooks 1.0.0 asks for 24 to 64 random bytes. */
const SECRET_BYTES = 32;

/** A new secret, with which the one before signs too for so long. */
export function rotatedSecrets(before: WebhookSecrets | undefined, overlapSeconds: number): WebhookSecrets {
  const current = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
  if (!before || overlapSeconds === 0) return { current };
  return { current, previous: before.current, previousUntil: new Date(Date.now() + overlapSeconds * 1_000) };
}
