import type { Redis } from 'ioredis';

/*
 * Every scope has a hash with a token, which the first reader makes up, and with the keys of the entries that were stored under
 * it. An entry counts as long as its stamp, the tokens of all its scopes, is what the scopes have now. A scope is invalidated
 * by deleting it with its entries: the next token is another one, so what was read before is never stored or found again.
 * Redis runs a script as one step; all times are Redis's own.
 */

/** KEYS: entry, scopes…; ARGV: token for scopes that have none, how long those live in ms. A value, or a stamp and the time. */
const READ = `
local tokens = {}
for i = 2, #KEYS do
  local token = redis.call('HGET', KEYS[i], 'token')
  if not token then
    token = ARGV[1]
    redis.call('HSET', KEYS[i], 'token', token)
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
  end
  tokens[i - 1] = token
end
local stamp = table.concat(tokens, ' ')
local entry = redis.call('HMGET', KEYS[1], 'stamp', 'value')
if entry[1] == stamp then return { entry[2] } end
local time = redis.call('TIME')
return { false, stamp, time[1] * 1000 + math.floor(time[2] / 1000) }`;

/** KEYS: entry, scopes…; ARGV: stamp and time as they were read, ms that an entry lives since then, value. */
const STORE = `
local tokens = {}
for i = 2, #KEYS do tokens[i - 1] = redis.call('HGET', KEYS[i], 'token') or '' end
local time = redis.call('TIME')
local left = ARGV[2] + ARGV[3] - (time[1] * 1000 + math.floor(time[2] / 1000))
if left <= 0 or table.concat(tokens, ' ') ~= ARGV[1] then return end
redis.call('HSET', KEYS[1], 'stamp', ARGV[1], 'value', ARGV[4])
redis.call('PEXPIRE', KEYS[1], left)
for i = 2, #KEYS do
  redis.call('HSET', KEYS[i], KEYS[1], '')
  if redis.call('PTTL', KEYS[i]) < left then redis.call('PEXPIRE', KEYS[i], left) end
end`;

/** KEYS: scopes…. */
const INVALIDATE = `
for i = 1, #KEYS do
  for _, entry in ipairs(redis.call('HKEYS', KEYS[i])) do
    if entry ~= 'token' then redis.call('UNLINK', entry) end
  end
  redis.call('UNLINK', KEYS[i])
end`;

export const SCRIPTS = {
  readEntry: { lua: READ },
  storeEntry: { lua: STORE },
  invalidateScopes: { lua: INVALIDATE },
};

type Keys = [count: number, ...keys: string[]];

/** A connection that was opened with {@link SCRIPTS}. */
export type ScriptedRedis = Redis & {
  readEntryBuffer(
    ...args: [...Keys, token: string, scopeMs: number]
  ): Promise<[value: Buffer] | [value: null, stamp: Buffer, time: number]>;
  storeEntry(...args: [...Keys, stamp: Buffer, time: number, ttlMs: number, value: Buffer]): Promise<null>;
  invalidateScopes(...args: Keys): Promise<null>;
};
