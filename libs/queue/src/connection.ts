import type { Logger } from '@aigolos/runtime';
import { Redis, type RedisOptions } from 'ioredis';

export interface RedisConfig {
  REDIS_URL: string;
  QUEUE_PREFIX: string;
}

const MAX_RECONNECT_MS = 1_000;

/** Reconnects for ever, at most a second apart and spread, so that many processes do not return in step. */
function retryStrategy(times: number): number {
  return Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(times, 5)) * (0.5 + Math.random() / 2);
}

/** A connection that waits for Redis as long as it takes: for workers and subscribers, which have nothing else to do. */
export function openPatientConnection(config: RedisConfig, log: Logger): Redis {
  return withErrorLog(new Redis(config.REDIS_URL, { maxRetriesPerRequest: null, retryStrategy }), log);
}

/** A connection whose commands fail at once while Redis is away: for callers who can go on without it. */
export function openFailFastConnection(
  config: RedisConfig,
  log: Logger,
  options: Pick<RedisOptions, 'commandTimeout' | 'scripts'> = {},
): Redis {
  return withErrorLog(
    new Redis(config.REDIS_URL, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      connectTimeout: 2_000,
      retryStrategy,
      ...options,
    }),
    log,
  );
}

/** Awaits that the connection can be used, at most so long; a Redis that is away at the start is no reason not to start. */
export async function waitUntilReady(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  redis.once('ready', resolve);
  await promise;
  clearTimeout(timer);
  redis.off('ready', resolve);
}

function withErrorLog(redis: Redis, log: Logger): Redis {
  redis.on('error', (error: Error) => log.debug({ err: error }, 'Redis connection error'));
  return redis;
}
