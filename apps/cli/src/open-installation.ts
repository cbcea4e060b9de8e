import type { BlobStore } from '@aigolos/blob-store';
import type { Database } from '@aigolos/db';
import type { LiveStreams, Producer, RedisConfig } from '@aigolos/queue';
import { blobConfig, createCloser, createLogger, type Logger, loadConfig, queueConfig } from '@aigolos/runtime';
import { z } from 'zod';
import { CliError } from './cli-error.ts';
import { type CliConfig, readConfig } from './config.ts';
import { defaultBlobDir, givenDataSettings } from './data-settings.ts';
import { readStackState } from './supervisor/stack-state.ts';

/** What a command needs that works on an installation's data. */
export interface Installation {
  db: Database;
  blobs: BlobStore;
  /** Where its scheduled backups are, if there are any. */
  backupDir: string | undefined;
  /** Absent where no Redis is known, or the command did not ask for it. */
  redis: { config: RedisConfig; producer: Producer; live: LiveStreams } | undefined;
  /** Says what goes wrong beside the command's own work. */
  log: Logger;
}

const SettingsSchema = z.object({
  ...queueConfig,
  ...blobConfig,
  MONGO_URL: z.string().optional(),
  BACKUP_DIR: z.string().optional(),
  REDIS_URL: queueConfig.REDIS_URL.optional(),
});

/**
 * Opens the installation that `MONGO_URL` and the other settings in the environment name, else the stack that runs in the
 * data folder, lends it to `use`, and closes it.
 * @throws CliError where neither is there; UnavailableError where the database does not answer.
 */
export async function withInstallation<T>(
  use: (installation: Installation) => Promise<T>,
  { redis = false, config = readConfig() }: { redis?: boolean; config?: CliConfig } = {},
): Promise<T> {
  const settings = installationSettings(config);
  const closer = createCloser();
  try {
    const log = createLogger({ service: 'cli', level: 'warn' });
    // Loaded when a command opens an installation: most commands do without, and should begin at once.
    const { openDatabase } = await import('@aigolos/db');
    const db = await openDatabase(settings.MONGO_URL);
    closer.add(() => db.close());
    await db.prepare();
    const { openBlobStore } = await import('@aigolos/blob-store');
    const opened = redis ? await openRedis(settings, log) : undefined;
    if (opened) closer.add(opened.close);
    return await use({ db, blobs: openBlobStore(settings), backupDir: settings.BACKUP_DIR, redis: opened, log });
  } finally {
    await closer.closeAll();
  }
}

/** A database named in the environment that is not the running stack's is another installation: nothing of the stack's goes with it. */
function installationSettings(config: CliConfig): z.infer<typeof SettingsSchema> & { MONGO_URL: string } {
  const { env, paths } = config;
  const stack = readStackState(paths.home);
  const isStack = stack && (env.MONGO_URL === undefined || env.MONGO_URL === stack.mongoUrl);
  const url = env.MONGO_URL ?? stack?.mongoUrl;
  if (!url) throw new CliError('No database: start the stack first, or name its database in MONGO_URL.');
  const settings = loadConfig(SettingsSchema, {
    BLOB_DIR: defaultBlobDir(config),
    ...(isStack && { ...stack.settings, REDIS_URL: stack.redisUrl }),
    ...givenDataSettings(config),
    ...(env.REDIS_URL !== undefined && { REDIS_URL: env.REDIS_URL }),
  });
  return { ...settings, MONGO_URL: url };
}

async function openRedis(
  { REDIS_URL, QUEUE_PREFIX }: z.infer<typeof SettingsSchema>,
  log: Logger,
): Promise<(Installation['redis'] & { close: () => Promise<void> }) | undefined> {
  if (REDIS_URL === undefined) return undefined;
  const { createLiveStreams, createProducer } = await import('@aigolos/queue');
  const config = { REDIS_URL, QUEUE_PREFIX };
  const [live, producer] = await Promise.all([createLiveStreams(config, log), createProducer(config, log)]);
  return {
    config,
    producer,
    live,
    close: async () => {
      await producer.close();
      await live.close();
    },
  };
}
