import { z } from 'zod';
import { JOB_STATUSES } from '../jobs/status.ts';
import { VOICE_TURN_STEPS } from '../jobs/voice-turn.ts';
import { openEnum } from './common.ts';
import { JobViewSchema } from './jobs.ts';

/** What `GET /v1/jobs/{id}/events` tells of a job's state: that it waits, that it was begun, how it ended. */
export const JOB_STATE_EVENT_TYPES = [
  'job.queued',
  'job.started',
  'job.completed',
  'job.incomplete',
  'job.failed',
  'job.cancelled',
  'job.expired',
] as const;
export type JobStateEventType = (typeof JOB_STATE_EVENT_TYPES)[number];

/** One server-sent event of a job, by its `type`, which is the event's name too. */
export const JobStreamEventSchema = z
  .discriminatedUnion('type', [
    z.object({
      type: z.enum(JOB_STATE_EVENT_TYPES),
      job: JobViewSchema.describe('The job as it is when the event is sent'),
    }),
    z.object({
      type: z.literal('job.progress'),
      id: z.string(),
      status: z.enum(JOB_STATUSES),
      step: openEnum(VOICE_TURN_STEPS).nullable().describe('Of a voice turn: what is done now'),
      progress: z.number().describe('0 to 1, of all steps together'),
    }),
    z.object({
      type: z.literal('job.delta'),
      id: z.string(),
      offset: z
        .number()
        .int()
        .describe(
          'Where in the text this piece begins, in UTF-16 units: at the end of what was sent before, or 0 where a later attempt says something else, so that the text begins anew',
        ),
      delta: z.string(),
    }),
  ])
  .meta({ id: 'JobEvent' });
export type JobStreamEvent = z.infer<typeof JobStreamEventSchema>;
