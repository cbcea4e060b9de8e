import type { Redis } from 'ioredis';

/*
 * How quickly a queue moves. `pace` is a hash: `ms`, the smoothed time that an id takes a slot, and `count`, how many were
 * measured. `slots` is a sorted set of `<worker>:<concurrency>` under the time until which that worker counts as alive.
 */

/** A new time counts at least this much: some ten jobs forget how it was. */
const WEIGHT = 0.1;
const KEEP_MS = 24 * 60 * 60_000;
/** Workers say that they are there every third of it. */
export const SLOTS_ALIVE_MS = 30_000;

export const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** KEYS: pace; ARGV: ms that a job took. The first ones are averaged, so that the very first does not count for long. */
const TOOK = `
local count = redis.call('HINCRBY', KEYS[1], 'count', 1)
local ms = tonumber(redis.call('HGET', KEYS[1], 'ms') or 0)
ms = ms + (ARGV[1] - ms) * math.max(${WEIGHT}, 1 / count)
redis.call('HSET', KEYS[1], 'ms', string.format('%.3f', ms))
redis.call('PEXPIRE', KEYS[1], ${KEEP_MS})`;

/** KEYS: slots; ARGV: member. */
const ALIVE = `${NOW}
redis.call('ZADD', KEYS[1], now + ${SLOTS_ALIVE_MS}, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ${SLOTS_ALIVE_MS})`;

/**
 * KEYS: prioritized, wait, active, pace, slots; ARGV: id. How many stand before it, how many are worked on, how long one takes
 * ('' where nothing was measured) and how many are worked on at once; nothing where the id neither waits nor is worked on.
 * The plain list is handed out first, from its end; only ids of earlier versions and of workers that died are in it.
 */
const PLACE = `${NOW}
local plain = redis.call('LLEN', KEYS[2])
local active = redis.call('LLEN', KEYS[3])
local ahead = redis.call('ZRANK', KEYS[1], ARGV[1])
if ahead then
  ahead = ahead + plain
else
  local index = redis.call('LPOS', KEYS[2], ARGV[1])
  if index then
    ahead = plain - 1 - index
  elseif redis.call('LPOS', KEYS[3], ARGV[1]) then
    ahead = -1
  else
    return
  end
end
local slots = 0
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '(' .. now, '+inf')) do
  slots = slots + string.match(worker, ':(%d+)$')
end
return { ahead, active, redis.call('HGET', KEYS[4], 'ms') or '', slots }`;

export const PACE_SCRIPTS = {
  paceTook: { lua: TOOK, numberOfKeys: 1 },
  paceAlive: { lua: ALIVE, numberOfKeys: 1 },
  pacePlace: { lua: PLACE, numberOfKeys: 5, readOnly: true },
};

/** A connection that was opened with {@link PACE_SCRIPTS}. */
export type PaceRedis = Redis & {
  paceTook(pace: string, ms: number): Promise<null>;
  paceAlive(slots: string, member: string): Promise<null>;
  pacePlace(
    ...args: [prioritized: string, wait: string, active: string, pace: string, slots: string, id: string]
  ): Promise<[ahead: number, active: number, ms: string, slots: number] | null>;
};

export const paceKey = (prefix: string, queue: string) => `${prefix}:pace:${queue}`;
export const slotsKey = (prefix: string, queue: string) => `${prefix}:slots:${queue}`;
