import { z } from 'zod';
import { BATCH_ENDPOINTS, BatchCountsSchema, BatchProblemSchema } from '../jobs/batch.ts';
import { openEnum } from './common.ts';
import { FileExpirySchema } from './files.ts';
import { JobListQuerySchema } from './jobs.ts';
import { MetadataSchema } from './submissions.ts';

const COMPLETION_WINDOW_SECONDS = { '24h': 24 * 60 * 60 } as const;

/** How long a batch may take, in seconds. */
export function completionWindowSeconds(window: keyof typeof COMPLETION_WINDOW_SECONDS): number {
  return COMPLETION_WINDOW_SECONDS[window];
}

export const BatchRequestSchema = z
  .looseObject({
    input_file_id: z.string({ error: 'must be the id of a file with purpose "batch"' }),
    endpoint: z
      .enum(BATCH_ENDPOINTS, { error: `must be one of ${BATCH_ENDPOINTS.join(', ')}` })
      .describe('The route that all lines call'),
    completion_window: z.enum(['24h'], { error: 'must be "24h"' }),
    metadata: MetadataSchema.nullish(),
    output_expires_after: FileExpirySchema.optional().describe('Of the files that are made; 30 days unless it says so'),
  })
  .meta({ id: 'BatchRequest' });
export type BatchRequest = z.infer<typeof BatchRequestSchema>;

/** One line of the input file. */
export const BatchLineSchema = z
  .object({
    custom_id: z.string().min(1).max(512).describe('What its line in the output is found by; once in a file'),
    method: z.literal('POST'),
    url: z.string().describe('The endpoint of the batch'),
    body: z
      .record(z.string(), z.unknown())
      .describe('As the route takes it; audio as `file`: the id of an uploaded file'),
  })
  .meta({ id: 'BatchLine' });
export type BatchLine = z.infer<typeof BatchLineSchema>;

/** One line of an output or error file. */
export interface BatchOutputLine {
  id: string;
  custom_id: string;
  /** What the call was answered with, an error of it included. */
  response: { status_code: number; request_id: string; body: unknown } | null;
  /** Why it was not called. */
  error: { code: string; message: string } | null;
}

export const BATCH_STATUSES = [
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled',
] as const;

const time = z.number().int().optional();

/** OpenAI's batch object, whose fields are absent where there is nothing to say. Times are Unix seconds; `expires_at` is when its completion window ends. */
export const BatchViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('batch'),
    endpoint: openEnum(BATCH_ENDPOINTS),
    errors: z.object({ object: z.literal('list'), data: z.array(BatchProblemSchema) }).optional(),
    input_file_id: z.string(),
    completion_window: z.string(),
    status: z.enum(BATCH_STATUSES),
    output_file_id: z.string().optional(),
    error_file_id: z.string().optional(),
    created_at: z.number().int(),
    in_progress_at: time,
    expires_at: time,
    finalizing_at: time,
    completed_at: time,
    failed_at: time,
    expired_at: time,
    cancelling_at: time,
    cancelled_at: time,
    request_counts: BatchCountsSchema,
    usage: z
      .object({
        input_tokens: z.number().int(),
        input_tokens_details: z.object({ cached_tokens: z.number().int() }),
        output_tokens: z.number().int(),
        output_tokens_details: z.object({ reasoning_tokens: z.number().int() }),
        total_tokens: z.number().int(),
      })
      .optional(),
    metadata: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Batch' });
export type BatchView = z.infer<typeof BatchViewSchema>;

export const BatchListQuerySchema = JobListQuerySchema.pick({ limit: true, after: true });

export const BatchListSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(BatchViewSchema),
    first_id: z.string(),
    last_id: z.string(),
    has_more: z.boolean(),
  })
  .meta({ id: 'BatchList' });
