import { z } from 'zod';
import { ErasureScopeSchema } from '../jobs/erasure.ts';
import { JobStatusSchema } from '../jobs/status.ts';
import { JOB_PRIORITIES } from '../jobs/terms.ts';
import { NameSchema, openEnum } from './common.ts';
import { bodyTerms } from './submissions.ts';

export const ErasureRequestSchema = z
  .object({
    scope: ErasureScopeSchema,
    ...bodyTerms,
    username: NameSchema.optional().describe("Whose data, where it is not the caller's own; needs an operator's key"),
  })
  .meta({ id: 'ErasureRequest' });
export type ErasureRequest = z.infer<typeof ErasureRequestSchema>;

/** An erasure and how far it is. Times are Unix seconds. It names ids only, never content. */
export const ErasureViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('erasure'),
    status: JobStatusSchema,
    account: z.string(),
    scope: ErasureScopeSchema,
    created_at: z.number().int(),
    finished_at: z.number().int().nullable(),
    expires_at: z.number().int().nullable().describe('When this record is deleted; the receipt stays valid'),
    priority: openEnum(JOB_PRIORITIES),
    attempt: z.number().int(),
    removed: z.record(z.string(), z.number().int()).nullable().describe('How many of each kind were removed'),
    pending: z
      .array(z.object({ what: z.string(), reason: z.string(), attempts: z.number().int() }))
      .describe('What could not be removed yet, and is tried again; the first 100'),
    receipt: z.string().nullable().describe('Compact JWS (EdDSA); GET /.well-known/jwks.json has its key'),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Erasure' });
export type ErasureView = z.infer<typeof ErasureViewSchema>;

export const ErasureListQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional().describe('Id of the last erasure of the page before'),
});

export const ErasureListSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(ErasureViewSchema),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'ErasureList' });

/** Of a thing that is gone: the erasure that took it, and the receipt once all that belonged to it is gone too. */
export const deletedBy = {
  erasure: z.string().describe('GET /v1/erasures/{id} tells how far it is'),
  receipt: z.string().nullable().describe('Null while some of what belonged to it could not be removed yet'),
};

/** RFC 7517. */
export const JwksSchema = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        kid: z.string(),
        alg: z.literal('EdDSA'),
        use: z.literal('sig'),
      }),
    ),
  })
  .meta({ id: 'Jwks' });
export type Jwks = z.infer<typeof JwksSchema>;
export type PublicSigningKey = Jwks['keys'][number];
