import { type ErasureRequest, ValidationError } from '@aigolos/contracts';
import type { ErasureTerms } from '@aigolos/lifecycle';
import type { FastifyRequest } from 'fastify';
import { withBodyTerms } from '../../answers/body-terms.ts';
import type { ReadSubmissionOptions, SubmissionOptions } from '../../answers/submission-options.ts';
import type { WebhookEndpoints } from '../webhooks/webhook-endpoints.service.ts';
import type { Erasure } from './erasures.service.ts';

export interface ErasureTermsDeps {
  options: ReadSubmissionOptions;
  endpoints: Pick<WebhookEndpoints, 'assertCallable'>;
}

interface AskedTerms {
  terms: ErasureTerms;
  warnings: string[];
}

/** The terms of an erasure, of the headers or the body. @throws ValidationError of those that cannot be kept. */
export async function readErasureTerms(
  { options, endpoints }: ErasureTermsDeps,
  account: string,
  request: Pick<FastifyRequest, 'headers' | 'account' | 'apiKey'> & { body: ErasureRequest },
): Promise<AskedTerms> {
  const read = await options(request);
  const { body } = request;
  const inBody = { ...body, webhook_url: body.webhook_url ?? read.terms.webhookUrl };
  if (inBody.webhook_url !== undefined && body.scope.type === 'account') {
    const message =
      'webhook_url cannot be told of the erasure of an account: the secret that would sign it goes first.';
    throw new ValidationError(message, { param: 'webhook_url' });
  }
  const { webhookUrl, priority } = await withBodyTerms(endpoints, { account, terms: read.terms }, inBody);
  return { terms: { webhookUrl, priority }, warnings: warningsOf(read) };
}

/** What an erasure has no place for: it is never too late, done once for all who ask, and its record is kept as a proof. */
function warningsOf({ terms, idempotencyKey }: SubmissionOptions): string[] {
  const unused = {
    'X-Start-By': terms.startWithinSeconds,
    'X-Finish-By': terms.finishWithinSeconds,
    'X-Retention': terms.retention,
    'X-Metadata': terms.metadata,
    'Idempotency-Key': idempotencyKey,
  };
  const names = Object.entries(unused).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  return names.length === 0 ? [] : [`Ignored, because erasures do not have it: ${names.join(', ')}.`];
}

/** Warnings of what was asked for and the erasure has not, since an earlier request began it. */
export function leftOut({ terms, warnings }: AskedTerms, { webhookUrl, priority }: Erasure): string[] {
  const late = [
    ...(terms.webhookUrl !== undefined && terms.webhookUrl !== webhookUrl ? ['webhook_url'] : []),
    ...(terms.priority !== undefined && terms.priority !== (priority ?? 'default') ? ['priority'] : []),
  ];
  if (late.length === 0) return warnings;
  return [...warnings, `Ignored, because the erasure was under way already: ${late.join(', ')}.`];
}
