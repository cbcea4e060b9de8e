import { z } from 'zod';
import { MEASURES, QUOTA_PERIODS } from '../account-limits.ts';
import { QUEUE_NAMES } from '../jobs/catalogue.ts';
import { openEnum } from './common.ts';

const limit = (what: string) => z.number().describe(what);

const time = z.number().int().describe('Unix seconds when all of it is there again');

/** What the caller's account may use, and what is left of it. What is not listed is not limited. */
const AccountLimitsViewSchema = z.object({
  rates: z
    .array(
      z.object({
        scope: openEnum(['account', 'key']),
        limit: limit('Requests that make work, in a window'),
        window_seconds: z.number().int(),
        remaining: z.number().int().nullable().describe('Null where nobody knows, as Redis is away'),
        resets_at: time.nullable(),
      }),
    )
    .describe('How often'),
  concurrent_jobs: z
    .object({ limit: limit('Most jobs that wait or run'), used: z.number().int(), remaining: z.number().int() })
    .nullable(),
  quotas: z
    .array(
      z.object({
        measure: openEnum(MEASURES),
        period: openEnum(QUOTA_PERIODS).describe('Of UTC'),
        limit: limit('How much in a period'),
        used: z.number().int().describe('With what jobs that have not ended are likely to take'),
        remaining: z.number().int(),
        resets_at: time,
      }),
    )
    .describe('How much'),
});

/** What waits in a queue, of all accounts. */
const BacklogViewSchema = z.object({
  queue: openEnum(QUEUE_NAMES),
  measure: openEnum(MEASURES),
  waiting: z.number().int().nullable().describe('Null where nobody knows, as Redis is away'),
  limit: limit('With so much waiting nothing more is taken'),
});

/** What this installation takes, as it is configured. */
export const LimitsViewSchema = z
  .object({
    object: z.literal('limits'),
    audio: z.object({ seconds: limit('Longest audio'), bytes: limit('Largest file') }),
    transcription: z.object({ prompt_characters: limit('Longest prompt') }),
    speech: z.object({
      characters: limit('Longest text whose speech is waited for'),
      job_characters: limit('Longest text that is spoken as a job'),
      speed_min: limit('Slowest'),
      speed_max: limit('Quickest'),
    }),
    chat: z.object({
      messages: limit('Most messages of one request'),
      message_characters: limit('Longest message'),
      body_bytes: limit('Largest body'),
    }),
    batch: z.object({ lines: limit('Most lines of one input'), bytes: limit('Largest input') }),
    job: z.object({
      wait_seconds: limit('Longest `Prefer: wait` and `?wait`'),
      deadline_seconds: limit('Latest `X-Start-By` and `X-Finish-By`'),
      idempotency_key_characters: limit('Longest key'),
      metadata_pairs: limit('Most pairs'),
      metadata_key_characters: limit('Longest key'),
      metadata_value_characters: limit('Longest value'),
      retention_seconds: limit('Longest lifetime that can be asked for'),
    }),
    account: AccountLimitsViewSchema,
    backlogs: z.array(BacklogViewSchema),
  })
  .meta({ id: 'Limits' });
export type LimitsView = z.infer<typeof LimitsViewSchema>;
