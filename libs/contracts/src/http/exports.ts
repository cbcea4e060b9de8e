import { z } from 'zod';
import { JobListQuerySchema } from './jobs.ts';

/** Everything that the caller's account has: there is nothing to choose. */
export const ExportRequestSchema = z.strictObject({}).nullish().meta({ id: 'ExportRequest' });

export const ExportListQuerySchema = JobListQuerySchema.omit({ kind: true });
