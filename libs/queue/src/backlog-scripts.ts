import type { Redis } from 'ioredis';
import { NOW } from './pace-scripts.ts';

/*
 * How much waits in a queue, in the measure of its work. `backlog` is a hash: of each id that waits for its first start what it
 * adds, and `total`, their sum. What is lost of it, as when an id was taken off by somebody else, is made up for whenever nothing
 * waits.
 */

/** Without any job for so long it goes. */
const KEEP_MS = 24 * 60 * 60_000;

const leaves = (backlog: string, prioritized: string, wait: string, id: string) => `
local amount = redis.call('HGET', ${backlog}, ${id})
if redis.call('ZCARD', ${prioritized}) + redis.call('LLEN', ${wait}) == 0 then
  redis.call('DEL', ${backlog})
elseif amount then
  redis.call('HDEL', ${backlog}, ${id})
  redis.call('HINCRBY', ${backlog}, 'total', -amount)
end`;

/** A part of the script of a start, whose KEYS from the second on are backlog, prioritized and wait, and second ARGV the id. */
export const LEAVES_BACKLOG = leaves('KEYS[2]', 'KEYS[3]', 'KEYS[4]', 'ARGV[2]');

/** KEYS: backlog, prioritized, wait; ARGV: id, what it adds. An id that does not wait, as it is worked on already, adds nothing. */
const ADD = `
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return end
if redis.call('ZCARD', KEYS[2]) == 1 and redis.call('LLEN', KEYS[3]) == 0 then redis.call('DEL', KEYS[1]) end
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then redis.call('HINCRBY', KEYS[1], 'total', ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ${KEEP_MS})`;

/** KEYS: backlog, prioritized, wait; ARGV: id. */
const REMOVE = leaves('KEYS[1]', 'KEYS[2]', 'KEYS[3]', 'ARGV[1]');

/** KEYS: backlog, pace, slots, prioritized, wait. How much waits, in how many ids, how long one takes, how many run at once. */
const READ = `${NOW}
local slots = 0
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. now, '+inf')) do
  slots = slots + string.match(worker, ':(%d+)$')
end
return {
  tonumber(redis.call('HGET', KEYS[1], 'total') or 0),
  redis.call('ZCARD', KEYS[4]) + redis.call('LLEN', KEYS[5]),
  redis.call('HGET', KEYS[2], 'ms') or '',
  slots,
}`;

export const BACKLOG_SCRIPTS = {
  backlogAdd: { lua: ADD, numberOfKeys: 3 },
  backlogRemove: { lua: REMOVE, numberOfKeys: 3 },
  backlogRead: { lua: READ, numberOfKeys: 5, readOnly: true },
};

/** A transaction on a connection that was opened with {@link BACKLOG_SCRIPTS}. */
export interface BacklogTransaction {
  backlogAdd(...args: [backlog: string, prioritized: string, wait: string, id: string, amount: number]): unknown;
}

/** A connection that was opened with {@link BACKLOG_SCRIPTS}. */
export type BacklogRedis = Redis & {
  backlogRemove(...args: [backlog: string, prioritized: string, wait: string, id: string]): Promise<null>;
  backlogRead(
    ...keys: [backlog: string, pace: string, slots: string, prioritized: string, wait: string]
  ): Promise<[total: number, jobs: number, ms: string, slots: number]>;
};

export const backlogKey = (prefix: string, queue: string) => `${prefix}:backlog:${queue}`;
