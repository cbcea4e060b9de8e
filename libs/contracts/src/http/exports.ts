import { z } from 'zod';
import { RetentionWishSchema } from '../retention.ts';
import { JobListQuerySchema } from './jobs.ts';
import { bodyTerms, MetadataSchema } from './submissions.ts';

/** Everything that the caller's account has: there is nothing to choose but the terms. */
export const ExportRequestSchema = z
  .strictObject({
    ...bodyTerms,
    retention: RetentionWishSchema.optional().describe('As in X-Retention'),
    metadata: MetadataSchema.optional().describe('Up to 16 pairs, kept with the job'),
  })
  .nullish()
  .meta({ id: 'ExportRequest' });
export type ExportRequest = z.infer<typeof ExportRequestSchema>;

export const ExportListQuerySchema = JobListQuerySchema.omit({ kind: true });
