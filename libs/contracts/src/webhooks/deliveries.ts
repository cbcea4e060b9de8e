import { z } from 'zod';
import { WEBHOOK_EVENT_TYPES } from './events.ts';

export const DeliveryStatusSchema = z.enum(['pending', 'delivered', 'failed', 'cancelled']);

/** One event on its way to one receiver, with every attempt. Times are Unix seconds. */
export const WebhookDeliveryViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('webhook_delivery'),
    event: z.string().describe('The `webhook-id` that the receiver gets'),
    type: z.enum(WEBHOOK_EVENT_TYPES),
    job: z.string().nullable(),
    endpoint: z.string().nullable().describe('Null where the job itself named the URL'),
    url: z.string(),
    status: DeliveryStatusSchema,
    attempts: z.array(
      z.object({
        at: z.number().int(),
        http_status: z.number().int().nullable().describe('Null where no answer came'),
        duration_ms: z.number(),
        error: z.string().nullable(),
      }),
    ),
    next_attempt_at: z.number().int().nullable().describe('While it is pending'),
    created_at: z.number().int(),
    settled_at: z.number().int().nullable(),
    expires_at: z.number().int().describe('When this row is pruned'),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDeliveryView = z.infer<typeof WebhookDeliveryViewSchema>;

export const WebhookListQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional().describe('Id of the last one of the page before'),
});

export const DeliveryListQuerySchema = WebhookListQuerySchema.extend({ status: DeliveryStatusSchema.optional() });
export const AllDeliveriesQuerySchema = DeliveryListQuerySchema.extend({
  job: z.string().optional().describe('Of this job alone'),
});

export const WebhookDeliveryListSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(WebhookDeliveryViewSchema),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'WebhookDeliveryList' });

const SINCE_EXPECTED = 'must be Unix seconds such as 1767225600, or ISO 8601 such as 2026-01-01T00:00:00Z';

export const ReplayRequestSchema = z
  .strictObject(
    {
      since: z.union([z.int().min(0), z.iso.datetime({ offset: true, error: SINCE_EXPECTED })], {
        error: SINCE_EXPECTED,
      }),
    },
    { error: `the body must be an object with the field since alone, which ${SINCE_EXPECTED}` },
  )
  .transform(({ since }) => ({ since: new Date(typeof since === 'number' ? since * 1_000 : since) }))
  .meta({ id: 'ReplayRequest' });

export const ReplaySchema = z
  .object({
    object: z.literal('webhook_replay'),
    replayed: z.number().int().describe('Deliveries that are sent again, under the ids of their events'),
  })
  .meta({ id: 'WebhookReplay' });
