import type { Logger } from '@aigolos/runtime';
import { Redis, type RedisOptions } from 'ioredis';

export interface RedisConfig {
  REDIS_URL: string;
  QUEUE_PREFIX: string;
  /** 5 s if not given, as for those whom nobody waits for. */
  REDIS_SILENCE_MS?: number | undefined;
}

const MAX_RECONNECT_MS = 1_000;
const SILENCE_MS = 5_000;
const HANDSHAKE: ReadonlySet<string> = new Set(['hello', 'auth', 'client', 'select', 'info', 'readonly']);
/** A connection that is given up is closed at once, and not when the other side agrees. */
const DISCONNECT_MS = 5;

/** Reconnects for ever, at most a second apart and spread, so that many processes do not return in step. */
function retryStrategy(times: number): number {
  return Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(times, 5)) * (0.5 + Math.random() / 2);
}

/** A connection that waits for Redis as long as it takes: for workers and subscribers, which have nothing else to do. */
export function openPatientConnection(
  config: RedisConfig,
  log: Logger,
  options: Pick<RedisOptions, 'scripts'> = {},
): Redis {
  return withErrorLog(new Redis(config.REDIS_URL, { maxRetriesPerRequest: null, retryStrategy, ...options }), log);
}

/**
 * A connection whose commands fail at once while Redis is away, for callers who can go on without it. The first commands that a
 * Redis leaves without any answer fail after `REDIS_SILENCE_MS`, the ones after them at once until it answers again. Whether a
 * command that failed was carried out is not known.
 */
export function openFailFastConnection(
  config: RedisConfig,
  log: Logger,
  options: Pick<RedisOptions, 'scripts'> = {},
): Redis {
  const redis = new Redis(config.REDIS_URL, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    disconnectTimeout: DISCONNECT_MS,
    retryStrategy,
    ...options,
  });
  return closeWhenSilent(withErrorLog(redis, log), config.REDIS_SILENCE_MS ?? SILENCE_MS, log);
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

/**
 * Gives a connection up that leaves commands without an answer: all of them fail, and it is opened anew. ioredis has
 * `commandTimeout` and `socketTimeout` for it, which also strike when the answer lay there and this process was too busy to
 * read it.
 */
function closeWhenSilent(redis: Redis, silenceMs: number, log: Logger): Redis {
  /** When each was sent, oldest first, which is the order of the answers. */
  const waiting = new Map<unknown, number>();
  let lastAnswer = 0;
  let timer: NodeJS.Timeout | undefined;

  function watch() {
    const [oldest] = waiting.values();
    if (oldest === undefined) return;
    const due = Math.max(oldest, lastAnswer) + silenceMs;
    // What came while this process was busy is read before the look.
    timer = setTimeout(() => setImmediate(() => setImmediate(look)), Math.max(1, due - performance.now()));
  }
  function look() {
    timer = undefined;
    const [oldest] = waiting.values();
    if (oldest === undefined) return;
    if (performance.now() - Math.max(oldest, lastAnswer) < silenceMs) return watch();
    log.debug('Redis does not answer');
    redis.disconnect(true);
  }

  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    // ioredis would send some commands to a Redis that has not answered the handshake yet.
    if (redis.status !== 'ready' && !HANDSHAKE.has(command.name)) {
      command.reject(new Error('Redis is away'));
      return command.promise;
    }
    const answer = send(command, stream);
    waiting.set(command, performance.now());
    const settle = () => {
      lastAnswer = performance.now();
      waiting.delete(command);
    };
    void command.promise.then(settle, settle);
    if (!timer) watch();
    return answer;
  };
  return redis;
}

function withErrorLog(redis: Redis, log: Logger): Redis {
  redis.on('error', (error: Error) => log.debug({ err: error }, 'Redis connection error'));
  return redis;
}
