import { z } from 'zod';

const limit = (what: string) => z.number().describe(what);

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
  })
  .meta({ id: 'Limits' });
export type LimitsView = z.infer<typeof LimitsViewSchema>;
