import {
  AIGolosError,
  DeadlineSecondsSchema,
  IdempotencyKeySchema,
  JobPrioritySchema,
  RetentionWishSchema,
  WebhookUrlSchema,
} from '@aigolos/contracts';
import type { Submission } from '@aigolos/jobs';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { invalidFields } from '../errors/invalid-fields.ts';
import type { WebhookEndpoints } from '../routes/webhooks/webhook-endpoints.service.ts';
import { metadataOf } from './metadata-headers.ts';

/** What any request that makes work may say beside its body. */
export interface SubmissionOptions {
  /** Id of the key that it was sent with. */
  apiKey?: string;
  terms: Pick<
    Submission<'chat'>,
    'retention' | 'webhookUrl' | 'priority' | 'startWithinSeconds' | 'finishWithinSeconds' | 'metadata' | 'batch'
  >;
  /** The client's own name of the request: sent again under it, it is not done again. */
  idempotencyKey?: string;
  /** May an earlier result of the same content be the answer, and may this one's become one? */
  reuse: { allowed: boolean; offered: boolean };
}

/** Reads it from the headers. @throws ValidationError that says which header is wrong, and what would be right. */
export type ReadSubmissionOptions = (
  request: Pick<FastifyRequest, 'headers' | 'account' | 'apiKey'>,
) => Promise<SubmissionOptions>;

const TrueOrFalse = z.enum(['true', 'false'], { error: 'must be true or false' });

export function createSubmissionOptions(endpoints: Pick<WebhookEndpoints, 'assertCallable'>): ReadSubmissionOptions {
  return async ({ headers, account, apiKey }) => {
    const retention = read(headers, 'X-Retention', RetentionWishSchema);
    const webhookUrl = read(headers, 'X-Webhook-Url', WebhookUrlSchema);
    const priority = read(headers, 'X-Priority', JobPrioritySchema);
    const startWithinSeconds = read(headers, 'X-Start-By', DeadlineSecondsSchema);
    const finishWithinSeconds = read(headers, 'X-Finish-By', DeadlineSecondsSchema);
    const idempotencyKey = read(headers, 'Idempotency-Key', IdempotencyKeySchema);
    const metadata = metadataOf(headers);
    read(headers, CANCEL_ON_DISCONNECT, TrueOrFalse);
    if (
      startWithinSeconds !== undefined &&
      finishWithinSeconds !== undefined &&
      startWithinSeconds > finishWithinSeconds
    ) {
      const message = `must not be later than X-Finish-By: ${startWithinSeconds} is more than ${finishWithinSeconds}`;
      throw invalidFields([{ path: ['X-Start-By'], message }]);
    }
    if (webhookUrl !== undefined) await assertCallableAs('X-Webhook-Url', endpoints, { account, webhookUrl });
    return {
      apiKey,
      terms: {
        retention,
        webhookUrl,
        priority,
        startWithinSeconds,
        finishWithinSeconds,
        ...(metadata && { metadata }),
      },
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      reuse: reuseOf(headers['cache-control']),
    };
  };
}

/** @throws ValidationError that names the header or field which has the URL. */
export async function assertCallableAs(
  name: string,
  endpoints: Pick<WebhookEndpoints, 'assertCallable'>,
  { account, webhookUrl }: { account: string; webhookUrl: string },
): Promise<void> {
  await endpoints.assertCallable(account, webhookUrl).catch((error: unknown) => {
    if (!(error instanceof AIGolosError)) throw error;
    throw invalidFields([{ path: [name], message: error.message }]);
  });
}

const CANCEL_ON_DISCONNECT = 'X-Cancel-On-Disconnect';

/** Is the job to be cancelled when its client goes away while its answer is held open? */
export function cancelsOnDisconnect(headers: FastifyRequest['headers']): boolean {
  return headers[CANCEL_ON_DISCONNECT.toLowerCase()] === 'true';
}

/** `no-cache` wants it done anew, `no-store` wants nothing to come of it for others either (RFC 9111, section 5.2.1). */
function reuseOf(cacheControl = ''): SubmissionOptions['reuse'] {
  const directives = new Set(cacheControl.split(',').map((directive) => directive.trim().toLowerCase()));
  const offered = !directives.has('no-store');
  return { allowed: offered && !directives.has('no-cache'), offered };
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
