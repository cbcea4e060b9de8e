import {
  blobConfig,
  cleanupConfig,
  databaseConfig,
  healthConfig,
  intVar,
  processConfig,
  queueConfig,
} from '@aigolos/runtime';
import { z } from 'zod';

export const ConfigSchema = z.object({
  ...processConfig,
  ...databaseConfig,
  ...queueConfig,
  ...blobConfig,
  ...healthConfig,
  ...cleanupConfig,
  EXPIRE_EVERY_MS: intVar.min(100).default(60_000).describe('pause between two searches for what is due to be deleted'),
  RECONCILE_EVERY_MS: intVar.min(100).default(10_000).describe('pause between two sweeps of the reconciler'),
  ORPHAN_SWEEP_EVERY_MS: intVar
    .min(100)
    .default(600_000)
    .describe('pause between two searches for files without a record'),
});
export type Config = z.infer<typeof ConfigSchema>;
