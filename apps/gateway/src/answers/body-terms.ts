import type { JobPriority } from '@aigolos/contracts';
import type { WebhookEndpoints } from '../routes/webhooks/webhook-endpoints.service.ts';
import { assertCallableAs, type SubmissionOptions } from './submission-options.ts';

/** What the body of our own routes says of that which headers may say too. */
export interface BodyTerms {
  priority?: JobPriority | undefined;
  webhook_url?: string | undefined;
}

/** The terms of a request with those of its body, which stand above the headers. @throws ValidationError of an address that cannot be called. */
export async function withBodyTerms(
  endpoints: Pick<WebhookEndpoints, 'assertCallable'>,
  { account, terms }: { account: string; terms: SubmissionOptions['terms'] },
  { priority, webhook_url: webhookUrl }: BodyTerms,
): Promise<SubmissionOptions['terms']> {
  if (webhookUrl !== undefined) await assertCallableAs('webhook_url', endpoints, { account, webhookUrl });
  return { ...terms, ...(priority && { priority }), ...(webhookUrl !== undefined && { webhookUrl }) };
}
