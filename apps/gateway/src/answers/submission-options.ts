import { RetentionWishSchema } from '@aigolos/contracts';
import type { Submission } from '@aigolos/jobs';
import type { FastifyRequest } from 'fastify';
import { invalidFields } from '../errors/invalid-fields.ts';

/** What any request that makes work may say beside its body. */
export type SubmissionOptions = Pick<Submission<'chat'>, 'retention'>;

/** Reads it from the headers. @throws ValidationError that says which header is wrong, and what would be right. */
export function submissionOptions({ headers }: Pick<FastifyRequest, 'headers'>): SubmissionOptions {
  const given = headers['x-retention'];
  if (given === undefined) return {};
  const parsed = RetentionWishSchema.safeParse(String(given));
  if (parsed.success) return { retention: parsed.data };
  throw invalidFields(parsed.error.issues.map(({ message }) => ({ path: ['X-Retention'], message })));
}
