import { AIGolosError } from '@aigolos/contracts';
import { z } from 'zod';

/**
 * Reads the environment of this process by a schema and says everything that is wrong at once.
 * The only reader of `process.env`; everything else gets its settings as arguments.
 * @throws AIGolosError `CONFIG_INVALID`, one line a variable.
 */
export function loadConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: Record<string, string | undefined> = process.env,
): z.infer<Schema> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const lines = issues.map(({ path, message }) => {
    const description = (schema.shape[path] as z.ZodType | undefined)?.description;
    return `  ${path}: ${message}${description ? ` (${description})` : ''}`;
  });
  throw new AIGolosError(`The configuration is not valid:\n${lines.join('\n')}`, { code: 'CONFIG_INVALID', issues });
}

/** An environment variable that is a whole number. */
export const intVar = z.coerce.number().int();

/** What every process of AIGolos reads. */
export const processConfig = {
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('least level that is logged'),
};

export const databaseConfig = {
  MONGO_URL: z.url({ protocol: /^mongodb(\+srv)?$/ }).describe('MongoDB replica set, with the database in its path'),
};

export const queueConfig = {
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).describe('Redis with noeviction and AOF'),
  QUEUE_PREFIX: z.string().default('aigolos').describe('prefix of every Redis key'),
  REDIS_SILENCE_MS: z.coerce
    .number()
    .int()
    .min(20)
    .default(140)
    .describe(
      'a Redis that answers nothing for so long counts as away: what can be done without it is, and waits no longer',
    ),
};

export const blobConfig = {
  BLOB_DRIVER: z.enum(['fs', 's3']).default('fs').describe('where audio is kept'),
  BLOB_DIR: z.string().optional().describe('folder of the fs driver; with s3, of what is still being received or made'),
  S3_BUCKET: z.string().optional().describe('bucket of the s3 driver'),
  S3_REGION: z.string().default('us-east-1').describe('region of the s3 driver'),
  S3_ENDPOINT: z.url().optional().describe('address of an S3-compatible service; AWS where absent'),
  S3_ACCESS_KEY_ID: z
    .string()
    .optional()
    .describe('key id of the s3 driver; the default credential chain where absent'),
  S3_SECRET_ACCESS_KEY: z.string().optional().describe('secret of the s3 driver'),
};

export const mediaConfig = {
  FFMPEG_PATH: z.string().default('ffmpeg').describe('the ffmpeg program'),
  FFPROBE_PATH: z.string().default('ffprobe').describe('the ffprobe program'),
  FFMPEG_MEMORY_MB: intVar.min(128).default(512).describe('memory that ffmpeg and ffprobe may each take (Linux)'),
  FFMPEG_CPU_SECONDS: intVar.min(1).default(600).describe('processor time that ffmpeg may take for one file (Linux)'),
  FFMPEG_SILENCE_MS: intVar
    .min(1_000)
    .default(30_000)
    .describe('an ffmpeg that gives nothing for so long, though it is waited for, is ended'),
};

export const healthConfig = {
  HEALTH_HOST: z.string().default('127.0.0.1').describe('address of the health and metrics endpoint'),
  HEALTH_PORT: intVar.min(0).max(65_535).optional().describe('its port; 0 takes a free one, none where absent'),
};

/** The gateway grants no lifetime that the scheduled cleanup would cut short, so both read this. */
export const cleanupConfig = {
  CLEANUP_CRON: z
    .string()
    .default('30 3 * * *')
    .describe('when the scheduled cleanup runs: cron, UTC; `off` for never'),
  CLEANUP_DAYS: intVar
    .min(1)
    .max(3_650)
    .default(90)
    .describe('age at which the scheduled cleanup removes what is kept; no longer lifetime is granted while it runs'),
};

const cidr = z.union([z.cidrv4(), z.cidrv6()], { error: 'must be networks such as 10.0.0.0/8,fd00::/8' });

const list = (text: string) => text.split(',').flatMap((item) => item.trim() || []);

/** An environment variable that names networks. */
export const networksVar = z.string().default('').transform(list).pipe(z.array(cidr));

const HOST = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i;

/** An environment variable that names hosts, `*.` before a name for all below it. */
export const hostsVar = z
  .string()
  .default('')
  .transform(list)
  .pipe(z.array(z.string().regex(HOST, { error: 'must be names such as hooks.internal,*.example.internal' })));

const portRange = z.string().refine(
  (range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return /^\d+(-\d+)?$/.test(range) && from >= 1 && from <= to && to <= 65_535;
  },
  { error: 'must be ports such as 443,8000-8999' },
);

/** The gateway refuses a receiver early that the deliverer would refuse, so both read this. */
export const webhookConfig = {
  WEBHOOK_ALLOWED_NETWORKS: networksVar.describe(
    'networks that are not public and yet may get webhooks, by http too: a list in CIDR notation',
  ),
  WEBHOOK_ALLOWED_HOSTS: hostsVar.describe(
    'names whose addresses need not be public to get webhooks, by http too: a list; `*.` before a name stands for all below it',
  ),
  WEBHOOK_ALLOWED_PORTS: z
    .string()
    .default('80,443,1024-65535')
    .transform(list)
    .pipe(z.array(portRange))
    .describe('ports that webhooks may go to'),
};

const modelsConfig = {
  MODELS_DIR: z.string().default('models').describe('folder of the installed models'),
};

const remoteEngineConfig = {
  NODE_USE_ENV_PROXY: z
    .string()
    .optional()
    .describe('`1` where openai-compatible engines are reached through the proxy that HTTPS_PROXY or HTTP_PROXY names'),
};

const testEngineConfig = {
  TEST_ENGINE_PACE_MS: intVar
    .min(0)
    .default(0)
    .describe('how long a test engine takes for a second of audio, a token or a character'),
};

export const drainConfig = {
  DRAIN_GRACE_MS: intVar.min(0).default(10_000).describe('how long a stopping worker lets its jobs finish'),
};

/** What every worker that runs an engine reads. */
export const workerConfig = {
  ...processConfig,
  ...databaseConfig,
  ...queueConfig,
  ...modelsConfig,
  ...healthConfig,
  ...remoteEngineConfig,
  ...testEngineConfig,
  ...drainConfig,
  CONCURRENCY: intVar.min(1).default(1).describe('jobs that run at once in this process'),
};

/**
 * A setting that is needed because another one has a certain value.
 * @throws AIGolosError `CONFIG_INVALID` where it is absent.
 */
export function requiredSetting(value: string | undefined, name: string, because: string): string {
  if (value !== undefined) return value;
  throw new AIGolosError(`${name} must be set for ${because}.`, { code: 'CONFIG_INVALID' });
}
