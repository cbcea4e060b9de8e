import type { Logger } from '@aigolos/runtime';
import { RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import { openFailFastConnection, type RedisConfig, waitUntilReady } from './connection.ts';

/** How much was taken in a window, which begins with the first that is taken. */
export interface Rate {
  taken: number;
  resetsInMs: number;
}

/** Counts what is done under a name in a window of a minute, for all processes together. Nobody is held up by a Redis that is away. */
export interface RateLimiter {
  /** Counts one more. Undefined where Redis is away. */
  take(name: string): Promise<Rate | undefined>;
  /** It was not one after all. */
  giveBack(name: string): Promise<void>;
  /** Without counting one. Undefined where Redis is away. */
  look(name: string): Promise<Rate | undefined>;
  close(): Promise<void>;
}

export const RATE_WINDOW_SECONDS = 60;
const READY_TIMEOUT_MS = 5_000;

export async function createRateLimiter(config: RedisConfig, log: Logger): Promise<RateLimiter> {
  const redis = openFailFastConnection(config, log);
  await waitUntilReady(redis, READY_TIMEOUT_MS);
  const counter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `${config.QUEUE_PREFIX}:rate`,
    // Each caller has a limit of its own, which is compared where it is known.
    points: Number.MAX_SAFE_INTEGER,
    duration: RATE_WINDOW_SECONDS,
    rejectIfRedisNotReady: true,
  });

  async function ask(question: Promise<RateLimiterRes | null>): Promise<Rate | undefined> {
    try {
      const answer = await question;
      if (!answer) return { taken: 0, resetsInMs: 0 };
      return { taken: Math.max(0, answer.consumedPoints), resetsInMs: Math.max(0, answer.msBeforeNext) };
    } catch (error) {
      log.debug({ err: error }, 'Redis is away: a rate is not counted');
      return undefined;
    }
  }

  return {
    take: (name) => ask(counter.consume(name)),
    look: (name) => ask(counter.get(name)),
    async giveBack(name) {
      await ask(counter.reward(name));
    },
    async close() {
      redis.disconnect();
    },
  };
}
