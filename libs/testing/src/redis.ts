import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import getPort from 'get-port';
import { afterAll, beforeAll } from 'vitest';
import { testConfig } from './config.ts';
import { findContainerEngine } from './containers.ts';
import { type ServerProcess, startServerProcess } from './process.ts';
import { watchForSecrets } from './secret-watch.ts';

export interface TestRedis {
  url: string;
}

/** A Redis for the tests of this file: the one given by `TEST_REDIS_URL`, a container, or a process of its own. */
export function useRedis(): TestRedis {
  const redis: TestRedis = { url: '' };
  let stop: (() => Promise<unknown>) | undefined;
  beforeAll(async () => {
    if (testConfig.TEST_REDIS_URL) {
      redis.url = testConfig.TEST_REDIS_URL;
      return;
    }
    const engine = await findContainerEngine();
    if (engine) {
      const container = await new engine.GenericContainer('redis:8-alpine').withExposedPorts(6379).start();
      redis.url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
      stop = () => container.stop();
    } else {
      const server = await startRedis();
      redis.url = server.url;
      // As in useMongo: its data goes with it.
      stop = () => server.kill('SIGKILL');
    }
  });
  afterAll(async () => stop?.());
  return redis;
}

export interface RedisProcess extends ServerProcess {
  url: string;
  /** Starts it again on the same port, with the data it kept. */
  restart(): Promise<void>;
  /** Kills it; its data stay. */
  goDown(): Promise<void>;
  /** Starts it after it went down, with what it kept or, as one without persistence, with nothing. */
  comeBack(data: 'kept' | 'lost'): Promise<void>;
  /** Makes it forget everything. */
  flushAll(): Promise<void>;
  /** Every key with its value, as text. */
  dump(): Promise<string>;
}

/** A Redis process of the test's own, which it may flush, stop or kill: AOF and noeviction, as in production. */
export async function startRedis(): Promise<RedisProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'aigolos-redis-'));
  const port = await getPort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  args.push('--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction');
  let server = await startServerProcess('redis-server', args, port);
  const cli = async (...command: string[]) => (await execa('redis-cli', ['-p', String(port), ...command])).stdout;
  const goDown = () => server.kill('SIGKILL');
  const comeBack = async (data: 'kept' | 'lost') => {
    if (data === 'lost') await rm(join(dir, 'appendonlydir'), { recursive: true, force: true });
    server = await startServerProcess('redis-server', args, port);
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid;
    },
    signal: (signal) => server.signal(signal),
    async kill(signal) {
      // One that the test has killed or frozen has nothing to show.
      const look = cli('--raw', 'EVAL', DUMP, '0', ...MAY_HOLD_CONTENT).catch(() => '');
      watchForSecrets('Redis', await Promise.race([look, sleep(DUMP_TIMEOUT_MS, '', { ref: false })]));
      await server.kill(signal);
      await rm(dir, { recursive: true, force: true });
    },
    async restart() {
      await goDown();
      await comeBack('kept');
    },
    goDown,
    comeBack,
    async flushAll() {
      await cli('FLUSHALL');
    },
    async dump() {
      return cli('--raw', 'EVAL', DUMP, '0');
    },
  };
}

const DUMP_TIMEOUT_MS = 3_000;
/** What streams to a reader, and what was polled a second ago: their keys are looked at, their values are their owners'. */
const MAY_HOLD_CONTENT = [':live:', ':cache:entry:'];

/** Every key with its value; the key alone where one of the arguments stands in it. */
const DUMP = `
  local read = {
    string = {'GET'}, hash = {'HGETALL'}, list = {'LRANGE', 0, -1}, set = {'SMEMBERS'}, zset = {'ZRANGE', 0, -1},
    stream = {'XRANGE', '-', '+'},
  }
  local all = {}
  for _, key in ipairs(redis.call('KEYS', '*')) do
    local value = true
    for _, part in ipairs(ARGV) do value = value and not string.find(key, part, 1, true) end
    local command = read[redis.call('TYPE', key).ok]
    all[#all + 1] = {key, value and redis.call(command[1], key, unpack(command, 2))}
  end
  return all`;
