import {
  type AccountLimits,
  DEFAULT_RETENTION,
  LIMITS,
  OwnLimitsSchema,
  type RetentionOffer,
  RetentionWishSchema,
  resolveLimits,
} from '@aigolos/contracts';
import {
  blobConfig,
  cleanupConfig,
  databaseConfig,
  intVar,
  mediaConfig,
  processConfig,
  queueConfig,
  webhookConfig,
} from '@aigolos/runtime';
import { z } from 'zod';
import type { BacklogLimits } from './limits/backlogs.ts';
import { signInConfig } from './sign-in/sign-in-config.ts';

/** As browsers write it: what stands before the path, in lower case, without a default port. */
const origin = z.url({ protocol: /^https?$/ }).refine((url) => URL.parse(url)?.origin === url, {
  error: 'must be origins, each without a path, such as https://app.example.org',
});

export const ConfigSchema = z.object({
  ...processConfig,
  ...databaseConfig,
  ...queueConfig,
  ...blobConfig,
  ...mediaConfig,
  ...cleanupConfig,
  ...webhookConfig,
  ...signInConfig,
  HOST: z.string().default('127.0.0.1').describe('address that the HTTP API listens on'),
  PORT: intVar.min(0).max(65_535).default(8_787).describe('its port; 0 takes a free one'),
  RETENTION: z
    .string()
    .default('input=90d, result=90d, output=90d, conversation=90d')
    .superRefine((text, context) => {
      for (const { message } of RetentionWishSchema.safeParse(text).error?.issues ?? []) context.addIssue(message);
    })
    .describe('how long what is kept where neither request nor account says'),
  AUDIO_MAX_BYTES: intVar.min(1).default(LIMITS.audioBytes).describe('largest audio file that is taken'),
  AUDIO_MAX_SECONDS: intVar.min(1).default(LIMITS.audioSeconds).describe('longest audio that is taken'),
  FILE_MAX_BYTES: intVar
    .min(1)
    .default(LIMITS.fileBytes)
    .describe('largest file that is taken by /v1/files and /v1/uploads'),
  REUSE_RESULTS: z
    .stringbool({ error: 'must be true or false' })
    .default(true)
    .describe(
      'the same audio with the same options, sent again by the same account, is answered from the earlier result',
    ),
  BATCH_LINES_AT_ONCE: intVar
    .min(1)
    .max(1_000)
    .default(16)
    .describe('lines of one batch that wait for their turn, or run, at once'),
  UPLOAD_IDLE_MS: intVar
    .min(1_000)
    .default(60_000)
    .describe('a body that sends nothing for so long, or less than 500 bytes a second, is given up'),
  READER_IDLE_MS: intVar
    .min(1_000)
    .default(60_000)
    .describe('a client that takes nothing of its answer for so long is left; its job goes on'),
  METRICS_ACCESS: z
    .enum(['public', 'admin'])
    .default('public')
    .describe("who may read /metrics: everybody who reaches the gateway, or the holder of an operator's key"),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((origin) => origin.trim() || []))
    .pipe(z.array(origin))
    .describe('origins of the pages that browsers may let call this gateway: a list such as https://app.example.org'),
  ACCOUNT_LIMITS: z
    .string()
    .default('')
    .superRefine((text, context) => {
      for (const { message } of OwnLimitsSchema.safeParse(text).error?.issues ?? []) context.addIssue(message);
    })
    .describe(
      'what an account may use for which nothing else is set, such as `requests_per_minute=60, tokens_per_day=100000`: docs/limits.md; no limits where empty',
    ),
  BACKLOG_AUDIO_SECONDS: intVar
    .min(1)
    .default(3_600_000)
    .describe('with so much audio waiting, of all accounts together, no more is taken'),
  BACKLOG_TOKENS: intVar
    .min(1)
    .default(100_000_000)
    .describe('the same of what is to be read and written by language models, in tokens'),
  BACKLOG_CHARACTERS: intVar.min(1).default(100_000_000).describe('the same of what is to be spoken, in characters'),
  STOP_GRACE_MS: intVar.min(0).default(10_000).describe('how long a stopping gateway lets requests finish'),
});
export type Config = z.infer<typeof ConfigSchema>;

/** What this installation keeps how long. */
export function retentionOffer({ RETENTION, CLEANUP_CRON, CLEANUP_DAYS }: Config): RetentionOffer {
  const { input, result, output, conversation } = RetentionWishSchema.parse(RETENTION);
  return {
    defaults: {
      input: input === undefined ? DEFAULT_RETENTION.input : input,
      result: result === undefined ? DEFAULT_RETENTION.result : result,
      output: output === undefined ? DEFAULT_RETENTION.output : output,
      conversation: conversation === undefined ? DEFAULT_RETENTION.conversation : conversation,
    },
    maxSeconds: CLEANUP_CRON === 'off' ? LIMITS.retentionSeconds : CLEANUP_DAYS * 24 * 60 * 60,
  };
}

/** What an account may use for which its operator has set nothing else. */
export function installationLimits({ ACCOUNT_LIMITS }: Config): AccountLimits {
  return resolveLimits({}, OwnLimitsSchema.parse(ACCOUNT_LIMITS));
}

/** How much may wait in each queue. */
export function backlogLimits({ BACKLOG_AUDIO_SECONDS, BACKLOG_TOKENS, BACKLOG_CHARACTERS }: Config): BacklogLimits {
  return { asr: BACKLOG_AUDIO_SECONDS, llm: BACKLOG_TOKENS, tts: BACKLOG_CHARACTERS };
}
