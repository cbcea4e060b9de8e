import type { Redis } from 'ioredis';
import { LEAVES_BACKLOG } from './backlog-scripts.ts';

/*
 * Start-time fair queueing (Goyal, Vin, Cheng 1996). A job's BullMQ priority is its tag: the virtual time at which its account's
 * share comes to it. `tags` is a sorted set with the virtual time `now` (the tag of the job that was started last) and with one
 * clock an account and class, `<class>:<account>`: when that line of the account has got what it asked for so far. A clock that
 * `now` has passed says nothing any more and is dropped, so the set is as large as the accounts that wait, not as all there are.
 *
 * BullMQ keeps waiting ids in a sorted set under `priority * 2^32 + counter`. Its limit of 2^21 is of its own options only: the
 * order of tags is exact up to 2^52 (a double of that size times 2^32 still tells neighbours apart).
 *
 * Redis runs a script as one step.
 */

/** What a job is added with, and what no tag is: it is replaced in the same transaction. Were that ever not so, it would be first, not lost. */
export const UNTAGGED = 1;
/** A low job takes so many times its cost of its account's share. */
const LOW_FACTOR = 4;
/** Without any job for so long the state goes; accounts begin anew then. */
const KEEP_MS = 60 * 60_000;
/** Of more clocks than these those that are passed next are forgotten: were no account ever to come twice, `now` would stand still. */
const MAX_CLOCKS = 20_000;

/** A class that only a later version knows is as `default`. */
const CLASSES = `local classes = { 'high', 'default', 'low' }
local function known(class) return (class == 'high' or class == 'low') and class or 'default' end`;

/**
 * KEYS: tags, job, prioritized, wait, active, delayed; ARGV: id, account, class, cost. Gives the job its tag, unless it has one.
 * It stands behind what its account has waiting of its own class and of more urgent ones, and pushes back what comes later of
 * its own class and of less urgent ones.
 */
const TAG = `${CLASSES}
if tonumber(redis.call('HGET', KEYS[2], 'priority') or 0) ~= ${UNTAGGED} then return end
local score = redis.call('ZSCORE', KEYS[3], ARGV[1])
local now = redis.call('ZSCORE', KEYS[1], 'now')
if redis.call('ZCARD', KEYS[3]) == (score and 1 or 0) and redis.call('ZCARD', KEYS[6]) == 0
    and redis.call('LLEN', KEYS[4]) + redis.call('LLEN', KEYS[5]) == 0 then
  redis.call('DEL', KEYS[1])
  now = ${UNTAGGED + 1}
elseif not now then
  now = ${UNTAGGED + 1}
  local head = redis.call('ZRANGE', KEYS[3], 0, 1, 'WITHSCORES')
  for i = 1, #head, 2 do
    if head[i] ~= ARGV[1] then now = math.max(now, math.floor(head[i + 1] / 2 ^ 32)) end
  end
end
now = tonumber(now)
redis.call('ZADD', KEYS[1], now, 'now')
local cost = tonumber(ARGV[4])
local own = known(ARGV[3])
local tag
for _, class in ipairs(classes) do
  local clock = class .. ':' .. ARGV[2]
  local from = math.max(now, tonumber(redis.call('ZSCORE', KEYS[1], clock) or 0))
  if class == own then tag = from end
  if tag then
    local factor = class == 'low' and class == own and ${LOW_FACTOR} or 1
    redis.call('ZADD', KEYS[1], from + cost * factor, clock)
  end
end
redis.call('PEXPIRE', KEYS[1], ${KEEP_MS})
redis.call('HSET', KEYS[2], 'priority', string.format('%.0f', tag))
if score then redis.call('ZADD', KEYS[3], score + (tag - ${UNTAGGED}) * 2 ^ 32, ARGV[1]) end`;

/** KEYS: tags, backlog, prioritized, wait; ARGV: tag of a job that is started, its id. */
const STARTED = `${LEAVES_BACKLOG}
redis.call('ZADD', KEYS[1], 'GT', ARGV[1], 'now')
local now = redis.call('ZSCORE', KEYS[1], 'now')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -${MAX_CLOCKS} - 1)
redis.call('ZADD', KEYS[1], now, 'now')
redis.call('PEXPIRE', KEYS[1], ${KEEP_MS})`;

/** KEYS: tags, job, prioritized; ARGV: id. Before a waiting job is taken off: gives its account back what it was to cost, once. */
const GIVE_BACK = `${CLASSES}
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return end
local read, payload = pcall(cjson.decode, redis.call('HGET', KEYS[2], 'data') or '')
local share = read and type(payload) == 'table' and payload.share
if type(share) ~= 'table' or not (share.account and tonumber(share.cost)) or redis.call('HSETNX', KEYS[2], 'givenBack', 1) == 0 then return end
local own = known(share.priority)
local found = false
for _, class in ipairs(classes) do
  local clock = class .. ':' .. share.account
  found = found or class == own
  if found and redis.call('ZSCORE', KEYS[1], clock) then
    local factor = class == 'low' and class == own and ${LOW_FACTOR} or 1
    redis.call('ZINCRBY', KEYS[1], -share.cost * factor, clock)
  end
end`;

export const FAIR_SHARE_SCRIPTS = {
  fairTag: { lua: TAG, numberOfKeys: 6 },
  fairStarted: { lua: STARTED, numberOfKeys: 4 },
  fairGiveBack: { lua: GIVE_BACK, numberOfKeys: 3 },
};

type TagArguments = [
  ...keys: [tags: string, job: string, prioritized: string, wait: string, active: string, delayed: string],
  ...values: [id: string, account: string, priority: string, cost: number],
];

/** A transaction on a connection that was opened with {@link FAIR_SHARE_SCRIPTS}. */
export interface FairTransaction {
  fairTag(...args: TagArguments): unknown;
}

/** A connection that was opened with {@link FAIR_SHARE_SCRIPTS}. */
export type FairRedis = Redis & {
  fairStarted(
    ...args: [tags: string, backlog: string, prioritized: string, wait: string, tag: number, id: string]
  ): Promise<null>;
  fairGiveBack(...args: [tags: string, job: string, prioritized: string, id: string]): Promise<null>;
};

export const tagsKey = (prefix: string, queue: string) => `${prefix}:fair:${queue}`;
