import { blobConfig, databaseConfig, healthConfig, intVar, processConfig, queueConfig } from '@aigolos/runtime';
import { z } from 'zod';

export const ConfigSchema = z.object({
  ...processConfig,
  ...databaseConfig,
  ...queueConfig,
  ...blobConfig,
  ...healthConfig,
  CLEANUP_CRON: z.string().default('30 3 * * *').describe('when expired jobs are deleted: cron, UTC'),
  RECONCILE_EVERY_MS: intVar.min(100).default(10_000).describe('pause between two sweeps of the reconciler'),
  ORPHAN_SWEEP_EVERY_MS: intVar
    .min(100)
    .default(600_000)
    .describe('pause between two searches for files without a record'),
});
export type Config = z.infer<typeof ConfigSchema>;
