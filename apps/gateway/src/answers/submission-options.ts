import { AIGolosError, RetentionWishSchema, WebhookUrlSchema } from '@aigolos/contracts';
import type { Submission } from '@aigolos/jobs';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { invalidFields } from '../errors/invalid-fields.ts';
import type { WebhookEndpoints } from '../routes/webhooks/webhook-endpoints.service.ts';

/** What any request that makes work may say beside its body. */
export type SubmissionOptions = Pick<Submission<'chat'>, 'retention' | 'webhookUrl'>;

/** Reads it from the headers. @throws ValidationError that says which header is wrong, and what would be right. */
export type ReadSubmissionOptions = (
  request: Pick<FastifyRequest, 'headers' | 'account'>,
) => Promise<SubmissionOptions>;

export function createSubmissionOptions(endpoints: Pick<WebhookEndpoints, 'assertCallable'>): ReadSubmissionOptions {
  return async ({ headers, account }) => {
    const retention = read(headers, 'X-Retention', RetentionWishSchema);
    const webhookUrl = read(headers, 'X-Webhook-Url', WebhookUrlSchema);
    if (webhookUrl !== undefined) {
      await endpoints.assertCallable(account, webhookUrl).catch((error: unknown) => {
        if (!(error instanceof AIGolosError)) throw error;
        throw invalidFields([{ path: ['X-Webhook-Url'], message: error.message }]);
      });
    }
    return { ...(retention && { retention }), ...(webhookUrl !== undefined && { webhookUrl }) };
  };
}

function read<Schema extends z.ZodType>(
  headers: FastifyRequest['headers'],
  name: string,
  schema: Schema,
): z.infer<Schema> | undefined {
  const given = headers[name.toLowerCase()];
  if (given === undefined) return undefined;
  const parsed = schema.safeParse(String(given));
  if (parsed.success) return parsed.data;
  throw invalidFields(parsed.error.issues.map(({ message }) => ({ path: [name], message })));
}
