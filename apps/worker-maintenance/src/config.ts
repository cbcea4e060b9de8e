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
  BACKUP_DIR: z.string().optional().describe('folder that scheduled backups go to; there are none where absent'),
  BACKUP_CRON: z.string().default('30 2 * * *').describe('when everything is backed up: cron, UTC'),
  BACKUP_KEEP: intVar.min(1).default(7).describe('so many backups are kept'),
  BACKUP_MAX_AGE_DAYS: intVar.min(1).default(30).describe('and none that is older, but the newest'),
  LEADER_LEASE_MS: intVar
    .min(500)
    .default(6_000)
    .describe(
      'for so long one process leads before it must renew that; one that was killed is followed within four thirds of it',
    ),
  EXPIRE_EVERY_MS: intVar.min(100).default(60_000).describe('pause between two searches for what is due to be deleted'),
  USAGE_EVERY_MS: intVar
    .min(100)
    .default(2_000)
    .describe('pause between two searches for usage that is not counted yet'),
  USAGE_DAYS: intVar.min(32).max(3_650).default(400).describe('so long usage is kept, whatever becomes of its jobs'),
  RECONCILE_EVERY_MS: intVar.min(100).default(10_000).describe('pause between two sweeps of the reconciler'),
  CONSISTENCY_EVERY_MS: intVar
    .min(100)
    .default(600_000)
    .describe('pause between two searches for what does not fit together, such as files without a record'),
  CONSISTENCY_GRACE_MS: intVar
    .min(0)
    .default(60_000)
    .describe('so long something may be without what it belongs to before that is mended'),
});
export type Config = z.infer<typeof ConfigSchema>;
