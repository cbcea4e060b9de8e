import { z } from 'zod';
import { JobKindSchema, JobStatusSchema } from '../jobs/status.ts';

/** What a receiver can be told of a job. `job.started` is sent to those who ask for it by name. */
export const JOB_EVENT_TYPES = [
  'job.started',
  'job.completed',
  'job.incomplete',
  'job.failed',
  'job.cancelled',
  'job.expired',
] as const;
export type JobEventType = (typeof JOB_EVENT_TYPES)[number];

export const JobEventTypeSchema = z.enum(JOB_EVENT_TYPES, {
  error: `must be one of ${JOB_EVENT_TYPES.join(', ')}`,
});

/** What an endpoint gets that names no events: the ends of jobs. */
export const DEFAULT_EVENT_TYPES: readonly JobEventType[] = JOB_EVENT_TYPES.filter((type) => type !== 'job.started');

export const WEBHOOK_EVENT_TYPES = [...JOB_EVENT_TYPES, 'endpoint.test'] as const;
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];

/** The body of a webhook (Standard Webhooks 1.0.0): thin, so that what a job said is only ever read with an API key. */
export const WebhookEventSchema = z
  .object({
    /** Also the `webhook-id` header; the same at every retry and replay. */
    id: z.string(),
    object: z.literal('event'),
    type: z.enum(WEBHOOK_EVENT_TYPES),
    /** Unix seconds. */
    created_at: z.number().int(),
    /** The same moment, ISO 8601. */
    timestamp: z.iso.datetime(),
    data: z.object({
      /** The job, or the endpoint that is tested. */
      id: z.string(),
      kind: JobKindSchema.optional(),
      status: JobStatusSchema.optional(),
    }),
  })
  .meta({ id: 'WebhookEvent' });
export type WebhookEvent = z.infer<typeof WebhookEventSchema>;
