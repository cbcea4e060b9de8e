import { randomUUID } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { Counter, type Logger, type Registry } from '@aigolos/runtime';
import { openFailFastConnection, type RedisConfig, waitUntilReady } from './connection.ts';
import { SCRIPTS, type ScriptedRedis } from './read-cache-scripts.ts';

/** What was read from the database a moment ago, for those who ask again. The record is the truth; without Redis it is asked. */
export interface ReadCache {
  /**
   * What `load` gave at most {@link STALE_MS} ago, unless one of the scopes was invalidated since; else what it gives now,
   * which is kept unless it is undefined. Who asks while it loads gets the same, which nobody may change. Values are cloned as
   * by `structuredClone`, so dates stay dates. Never fails by itself.
   */
  read<T>(scopes: string[], key: string, load: () => Promise<T>): Promise<T>;
  /**
   * To be awaited after a write and before it is acknowledged: what was loaded before is gone from Redis then, and is given
   * to nobody. Never fails, and waits for no Redis that is away: then this process reads past the cache until all that was
   * loaded before has expired, and others, if they still reach Redis, may give it for the rest of {@link STALE_MS}.
   */
  invalidate(...scopes: string[]): Promise<void>;
  close(): Promise<void>;
}

/** The names of what entries depend on. */
export const cacheScope = {
  /** Every list of anybody: for changes that tell no more of a job than its id. */
  allLists: 'all-lists',
  job: (id: string) => `job:${id}`,
  jobsOf: (account: string) => `jobs-of:${account}`,
  conversation: (id: string) => `conversation:${id}`,
};

/** So old an answer may be at most when an invalidation was lost. */
const STALE_MS = 1_000;
const SCOPE_MS = 10 * STALE_MS;
/** For clocks that count in whole milliseconds. */
const MARGIN_MS = 20;
const READY_TIMEOUT_MS = 1_000;
const MAX_BYTES = 1024 * 1024;

export async function createReadCache(config: RedisConfig, log: Logger, metrics?: Registry): Promise<ReadCache> {
  const redis = openFailFastConnection(config, log, { scripts: SCRIPTS }) as ScriptedRedis;
  await waitUntilReady(redis, READY_TIMEOUT_MS);
  const count = createCounter(metrics);
  const entryKey = (key: string) => `${config.QUEUE_PREFIX}:cache:entry:${key}`;
  const scopeKey = (scope: string) => `${config.QUEUE_PREFIX}:cache:scope:${scope}`;

  /** Until then Redis may hold what was loaded before a write of this process. */
  let pastUntil = 0;
  const without = (error: unknown): undefined => {
    log.debug({ err: error }, 'the read cache is away');
  };

  /** Loads under way, each under what its readers found: after an invalidation there are no such readers any more. */
  const loading = new Map<string, { since: number; value: Promise<unknown> }>();

  function loadOnce<T>(key: string, load: () => Promise<T>): { value: Promise<T>; isFirst: boolean } {
    const running = loading.get(key);
    if (running && performance.now() - running.since < STALE_MS) {
      return { value: running.value as Promise<T>, isFirst: false };
    }
    // A query of a database library is no promise: it would run again for each reader, or refuse to.
    const begun = { since: performance.now(), value: (async () => load())() };
    loading.set(key, begun);
    const end = () => void (loading.get(key) === begun && loading.delete(key));
    begun.value.then(end, end);
    return { value: begun.value, isFirst: true };
  }

  return {
    async read<T>(scopes: string[], key: string, load: () => Promise<T>) {
      if (performance.now() < pastUntil) {
        count('bypass');
        return load();
      }
      const keys = [entryKey(key), ...scopes.map(scopeKey)];
      const found = await redis.readEntryBuffer(keys.length, ...keys, randomUUID(), SCOPE_MS).catch(without);
      const cached = found?.[0] ? (decode(found[0]) as T | undefined) : undefined;
      if (cached !== undefined) {
        count('hit');
        return cached;
      }
      const [, stamp, time] = found ?? [];
      if (stamp === undefined || time === undefined) {
        count('bypass');
        return load();
      }
      const loaded = loadOnce(`${key} ${stamp.toString()}`, load);
      count(loaded.isFirst ? 'miss' : 'shared');
      const value = await loaded.value;
      if (!loaded.isFirst || value === undefined) return value;
      const bytes = serialize(value);
      if (bytes.length <= MAX_BYTES) {
        redis.storeEntry(keys.length, ...keys, stamp, time, STALE_MS, bytes).catch(without);
      }
      return value;
    },

    async invalidate(...scopes) {
      try {
        await redis.invalidateScopes(scopes.length, ...scopes.map(scopeKey));
      } catch (error) {
        without(error);
        count('not_invalidated');
        pastUntil = performance.now() + STALE_MS + MARGIN_MS;
      }
    },

    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

/** Another version of Node may have written what this one cannot read. */
function decode(bytes: Buffer): unknown {
  try {
    return deserialize(bytes);
  } catch {
    return undefined;
  }
}

type Outcome = 'hit' | 'shared' | 'miss' | 'bypass' | 'not_invalidated';

function createCounter(metrics: Registry | undefined): (outcome: Outcome) => void {
  if (!metrics) return () => {};
  const counter = new Counter({
    name: 'aigolos_read_cache_total',
    help: 'Reads by how they were answered: by the cache, by a load under way, by the database, by it past the cache; and invalidations that Redis was not told of',
    labelNames: ['outcome'],
    registers: [metrics],
  });
  for (const outcome of ['hit', 'shared', 'miss', 'bypass', 'not_invalidated']) counter.inc({ outcome }, 0);
  return (outcome) => counter.inc({ outcome });
}
