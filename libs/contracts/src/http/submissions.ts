import { z } from 'zod';
import { JobPrioritySchema } from '../jobs/terms.ts';
import { WebhookUrlSchema } from '../webhooks/endpoints.ts';
import { isStorableKey, UNSTORABLE_KEY } from './json-object.ts';

/** Bounds of what a request that makes work may say beside its body. */
export const SUBMISSION_LIMITS = {
  idempotencyKeyCharacters: 255,
  deadlineSeconds: 30 * 24 * 60 * 60,
  metadataPairs: 16,
  metadataKeyCharacters: 64,
  metadataValueCharacters: 512,
} as const;

const PRINTABLE = /^[\x20-\x7e]+$/;
const keyError = `must be 1 to ${SUBMISSION_LIMITS.idempotencyKeyCharacters} printable ASCII characters, such as a UUID, bare or in double quotes`;

/** Bare, or a string as the IETF's draft of the header has it; both name the same key. */
export const IdempotencyKeySchema = z
  .string()
  .transform(
    (given) => /^"(?<text>(?:[^"\\]|\\["\\])*)"$/.exec(given)?.groups?.text?.replaceAll(/\\(.)/g, '$1') ?? given,
  )
  .pipe(
    z
      .string()
      .max(SUBMISSION_LIMITS.idempotencyKeyCharacters, { error: keyError })
      .regex(PRINTABLE, { error: keyError }),
  );

const secondsError = ({ input }: { input?: unknown }) =>
  `must be a number of seconds from now, more than 0 and at most ${SUBMISSION_LIMITS.deadlineSeconds} (30 days), not ${JSON.stringify(input)?.slice(0, 40)}`;

/** Seconds from now, written as a decimal number. */
export const DeadlineSecondsSchema = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,12})?$/, { error: secondsError })
  .refine((text) => Number(text) > 0 && Number(text) <= SUBMISSION_LIMITS.deadlineSeconds, { error: secondsError })
  .transform(Number);

const { metadataPairs, metadataKeyCharacters, metadataValueCharacters } = SUBMISSION_LIMITS;

/** What a client notes on a job for itself; OpenAI's limits. */
export const MetadataSchema = z
  .record(
    z
      .string()
      .min(1)
      .max(metadataKeyCharacters, { error: `metadata keys must have 1 to ${metadataKeyCharacters} characters` })
      .refine(isStorableKey, { error: `metadata ${UNSTORABLE_KEY}` }),
    z.string({ error: 'must be a text' }).max(metadataValueCharacters, {
      error: `must have at most ${metadataValueCharacters} characters`,
    }),
  )
  .superRefine((metadata, context) => {
    const pairs = Object.keys(metadata).length;
    if (pairs > metadataPairs) context.addIssue(`metadata must have at most ${metadataPairs} pairs, not ${pairs}`);
  });

/** What the body of our own routes may say of that which headers may say too; it stands above them. */
export const bodyTerms = {
  priority: JobPrioritySchema.optional().describe('As in X-Priority'),
  webhook_url: WebhookUrlSchema.optional().describe('As in X-Webhook-Url'),
};
