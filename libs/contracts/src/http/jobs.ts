import { z } from 'zod';
import { ERROR_CODES } from '../errors.ts';
import { JOB_KINDS, JOB_STATUSES, JobKindSchema, JobStatusSchema } from '../jobs/status.ts';
import { JOB_PRIORITIES } from '../jobs/terms.ts';
import { VOICE_TURN_STEPS } from '../jobs/voice-turn.ts';
import { RetentionPolicySchema } from '../retention.ts';
import { openEnum } from './common.ts';
import { deletedBy } from './erasures.ts';

/** A job as its owner sees it. Times are Unix seconds; `progress` runs from 0 to 1. */
export const JobViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('job'),
    kind: openEnum(JOB_KINDS),
    status: openEnum(JOB_STATUSES),
    model: z.string().nullable().describe('What works on it; null where no model does'),
    created_at: z.number().int(),
    started_at: z.number().int().nullable(),
    finished_at: z.number().int().nullable(),
    expires_at: z
      .number()
      .int()
      .nullable()
      .describe('When it is deleted; null while it has not ended, and where it is kept until somebody deletes it'),
    input_expires_at: z
      .number()
      .int()
      .nullable()
      .describe('When the audio that was sent is deleted, where there was any'),
    output_expires_at: z
      .number()
      .int()
      .nullable()
      .describe('When the audio that was made is deleted, where there is any'),
    retention: RetentionPolicySchema,
    step: openEnum(VOICE_TURN_STEPS).nullable().describe('Of a voice turn: what is done, or to be done next'),
    progress: z.number(),
    queue_position: z
      .number()
      .int()
      .nullable()
      .describe(
        'Jobs of its kind that are to begin before it, going by those that wait now; null of a job that waits for something else, such as another attempt or the turn before it, and in lists',
      ),
    estimated_start_at: z
      .number()
      .int()
      .nullable()
      .describe(
        'When it will begin, going by its place and by how quickly jobs of its kind end now; null where no worker is there or none has finished a job lately, and wherever `queue_position` is',
      ),
    start_by: z.number().int().nullable().describe('It expires if it has not begun by then'),
    finish_by: z.number().int().nullable().describe('It expires if it has not ended by then'),
    priority: openEnum(JOB_PRIORITIES),
    attempt: z.number().int(),
    reused_from: z.string().nullable().describe('The job whose result this one has, because it was the same work'),
    error: z.object({ code: openEnum(ERROR_CODES), message: z.string() }).nullable(),
    usage: z
      .object({
        audio_seconds: z.number().optional(),
        input_characters: z.number().int().optional(),
        prompt_tokens: z.number().int().optional(),
        completion_tokens: z.number().int().optional(),
        compute_ms: z.number().optional(),
      })
      .nullable(),
    conversation: z.string().nullable(),
    warnings: z.array(z.string()),
    metadata: z.record(z.string(), z.string()),
    urls: z.object({ self: z.string(), cancel: z.string(), result: z.string(), events: z.string() }),
  })
  .meta({ id: 'Job' });
export type JobView = z.infer<typeof JobViewSchema>;

/** Loose, since `metadata[key]=value` stands beside these, as often as there are keys to go by. */
export const JobListQuerySchema = z.looseObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional().describe('Id of the last job of the page before'),
  kind: JobKindSchema.optional(),
  status: JobStatusSchema.optional(),
  order: z.enum(['asc', 'desc']).default('desc').describe('By the time of submission: `desc` begins with the newest'),
});
export type JobListQuery = z.infer<typeof JobListQuerySchema>;

export const JobListSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(JobViewSchema),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'JobList' });
export type JobList = z.infer<typeof JobListSchema>;

export const JobDeletedSchema = z
  .object({ id: z.string(), object: z.literal('job.deleted'), deleted: z.literal(true), ...deletedBy })
  .meta({ id: 'JobDeleted' });
