import {
  databaseConfig,
  drainConfig,
  healthConfig,
  intVar,
  processConfig,
  queueConfig,
  webhookConfig,
} from '@aigolos/runtime';
import { z } from 'zod';

export const ConfigSchema = z.object({
  ...processConfig,
  ...databaseConfig,
  ...queueConfig,
  ...healthConfig,
  ...webhookConfig,
  ...drainConfig,
  WEBHOOK_RETRY_SECONDS: z
    .string()
    .default('5,60,300,1800,7200,18000,36000,86400')
    .transform((list) => list.split(',').map(Number))
    .pipe(z.array(z.number().positive()))
    .describe(
      'pauses between the attempts to deliver a webhook, each made up to a fifth longer; one more attempt than pauses',
    ),
  WEBHOOK_TIMEOUT_MS: intVar
    .min(100)
    .default(15_000)
    .describe('how long an attempt may take, from the look-up of the name to the last byte of the answer'),
  WEBHOOK_CONCURRENCY: intVar.min(1).default(64).describe('webhooks that are sent at once by this process'),
  WEBHOOK_RECEIVER_CONCURRENCY: intVar.min(1).default(8).describe('of these, to one receiver'),
  WEBHOOK_PAUSE_AFTER_FAILURES: intVar
    .min(1)
    .default(20)
    .describe('an endpoint is paused after so many failed attempts in a row …'),
  WEBHOOK_PAUSE_AFTER_MS: intVar.min(0).default(3_600_000).describe('… the first of which is at least so long ago'),
  WEBHOOK_SWEEP_EVERY_MS: intVar
    .min(100)
    .default(10_000)
    .describe('pause between two searches for webhooks that are due and that the queue has lost'),
});
export type Config = z.infer<typeof ConfigSchema>;
