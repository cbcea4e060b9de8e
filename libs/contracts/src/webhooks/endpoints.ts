import { z } from 'zod';
import { DEFAULT_EVENT_TYPES, JobEventTypeSchema } from './events.ts';

export const WEBHOOK_LIMITS = {
  urlCharacters: 2_048,
  descriptionCharacters: 500,
  endpointsPerAccount: 50,
  /** How long the secret before signs too, unless a rotation says otherwise, and at most. */
  overlapSeconds: 24 * 60 * 60,
  overlapMostSeconds: 7 * 24 * 60 * 60,
} as const;

const URL_EXPECTED = 'must be an http or https address such as https://example.com/hooks';
const { urlCharacters } = WEBHOOK_LIMITS;

/** Where webhooks go. Which addresses an installation reaches is another question, asked where its settings are known. */
export const WebhookUrlSchema = z
  .string({ error: URL_EXPECTED })
  .max(urlCharacters, { error: `must have at most ${urlCharacters} characters`, abort: true })
  .refine((text) => /^https?:\/\/\S+$/i.test(text) && URL.canParse(text), { error: URL_EXPECTED });

const events = z
  .array(JobEventTypeSchema)
  .min(1, 'must name at least one event')
  .transform((types) => [...new Set(types)])
  .describe('What it is told of; without it, of the end of every job');
const description = z.string().max(WEBHOOK_LIMITS.descriptionCharacters).describe('For people');

export const WebhookEndpointRequestSchema = z
  .strictObject({
    url: WebhookUrlSchema,
    events: events.default([...DEFAULT_EVENT_TYPES]),
    description: description.default(''),
  })
  .meta({ id: 'WebhookEndpointRequest' });
export type WebhookEndpointRequest = z.infer<typeof WebhookEndpointRequestSchema>;

export const WebhookEndpointPatchSchema = z
  .strictObject({
    url: WebhookUrlSchema.optional(),
    events: events.optional(),
    description: description.optional(),
    status: z
      .enum(['active', 'paused'], { error: 'must be "active" or "paused"' })
      .optional()
      .describe('What happens while it is paused waits; `active` delivers it'),
  })
  .meta({ id: 'WebhookEndpointPatch' });
export type WebhookEndpointPatch = z.infer<typeof WebhookEndpointPatchSchema>;

/** An endpoint as its owner sees it. Times are Unix seconds. */
export const WebhookEndpointViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('webhook_endpoint'),
    url: z.string(),
    events: z.array(z.string()),
    description: z.string(),
    status: z
      .enum(['active', 'paused', 'disabled'])
      .describe('`disabled`: the receiver said that it is gone for good (410)'),
    status_reason: z.string().nullable().describe('Why it was taken out of use, where its owner did not do it'),
    failures_in_row: z.number().int().describe('Failed attempts since the last one that succeeded'),
    previous_secret_until: z
      .number()
      .int()
      .nullable()
      .describe('So long the secret before the last rotation signs too'),
    created_at: z.number().int(),
    updated_at: z.number().int(),
  })
  .meta({ id: 'WebhookEndpoint' });
export type WebhookEndpointView = z.infer<typeof WebhookEndpointViewSchema>;

const secret = z.string().describe('`whsec_…`, what webhooks are signed with; shown this once');

export const WebhookEndpointCreatedSchema = WebhookEndpointViewSchema.extend({ secret }).meta({
  id: 'WebhookEndpointCreated',
});

export const WebhookEndpointListSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(WebhookEndpointViewSchema),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'WebhookEndpointList' });

export const WebhookEndpointDeletedSchema = z
  .object({ id: z.string(), object: z.literal('webhook_endpoint.deleted'), deleted: z.literal(true) })
  .meta({ id: 'WebhookEndpointDeleted' });

const { overlapSeconds, overlapMostSeconds } = WEBHOOK_LIMITS;

/** May be left out altogether. */
export const SecretRotationSchema = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(overlapMostSeconds)
      .default(overlapSeconds)
      .describe('How long the old secret signs too, beside the new one'),
  })
  .nullish()
  .transform((body) => body ?? { overlap_seconds: overlapSeconds })
  .meta({ id: 'SecretRotation' });
export type SecretRotation = z.infer<typeof SecretRotationSchema>;

export const WebhookSecretSchema = z
  .object({
    object: z.literal('webhook_secret'),
    secret,
    previous_secret_until: z.number().int().nullable(),
  })
  .meta({ id: 'WebhookSecret' });
export type WebhookSecretView = z.infer<typeof WebhookSecretSchema>;
