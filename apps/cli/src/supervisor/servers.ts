import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import getPort from 'get-port';
import type { CliConfig } from '../config.ts';
import type { DatabasePlan } from '../prepare/database.ts';
import { findProgram } from '../prepare/find-program.ts';
import { accepts, redisAnswers } from './health-checks.ts';
import type { ProcessSpec } from './run-process.ts';

const SERVER_GRACE_MS = 15_000;

export interface Server {
  url: string;
  spec: ProcessSpec;
}

/** A Redis that forgets nothing and evicts nothing. */
export async function redisServer(program: string, config: CliConfig): Promise<Server> {
  const port = await getPort();
  const dir = folder(config, 'redis');
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--daemonize', 'no'];
  args.push('--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction');
  const marks = ['redis-server', String(port)];
  const spec = await serverSpec({ name: 'redis', command: program, args, marks }, config, () => redisAnswers(port));
  return { url: `redis://127.0.0.1:${port}`, spec };
}

/** The planned database server. A given one has no process of ours. */
export async function databaseServer(
  plan: Exclude<DatabasePlan, { kind: 'given' }>,
  config: CliConfig,
): Promise<Server> {
  mkdirSync(plan.dataDir, { recursive: true });
  if (plan.kind === 'mongod') {
    const port = await keptPort(join(config.paths.home, 'mongodb-port'));
    const log = join(dirname(config.paths.logFile), 'mongodb.log');
    const args = ['--replSet', 'rs0', '--dbpath', plan.dataDir, '--port', String(port), '--bind_ip', '127.0.0.1'];
    args.push('--logpath', log, '--logappend');
    const process = { name: 'mongodb', command: plan.program, args, marks: [plan.dataDir] };
    const options = 'directConnection=true&journal=true&w=majority';
    return {
      url: `mongodb://127.0.0.1:${port}/aigolos?${options}`,
      spec: await serverSpec(process, config, () => accepts(port)),
    };
  }
  const port = await getPort();
  const program = join(dirname(plan.python), 'secantusd-py');
  const args = [program, '--host', '127.0.0.1', '--port', String(port), '--storage-path', plan.dataDir];
  const process = { name: 'secantusdb', command: plan.python, args, marks: [plan.dataDir] };
  // Its set name fits no client, and with retryable writes each write gets slower.
  const options = 'directConnection=true&retryWrites=false&journal=true&w=majority';
  return {
    url: `mongodb://127.0.0.1:${port}/aigolos?${options}`,
    spec: await serverSpec(process, config, () => accepts(port)),
  };
}

/** A server ends with the supervisor, even one that was killed, where the system can do that. */
async function serverSpec(
  { name, command, args, marks }: Pick<ProcessSpec, 'name' | 'command' | 'args' | 'marks'>,
  { env }: CliConfig,
  isHealthy: () => Promise<boolean>,
): Promise<ProcessSpec> {
  const setpriv = await findDeathSignalProgram(env.PATH);
  const wrapped = setpriv
    ? { command: setpriv, args: ['--pdeathsig', 'TERM', '--', command, ...args] }
    : { command, args };
  return { name, ...wrapped, marks, env: { PATH: env.PATH }, ipc: false, graceMs: SERVER_GRACE_MS, isHealthy };
}

/** util-linux has `setpriv --pdeathsig`; BusyBox's setpriv does not know it, and other systems have none. */
async function findDeathSignalProgram(searchPath: string): Promise<string | undefined> {
  const program = await findProgram('setpriv', searchPath);
  if (!program) return undefined;
  const { stdout } = await execa(program, ['--help'], { reject: false });
  return stdout?.includes('--pdeathsig') ? program : undefined;
}

function folder({ paths }: CliConfig, name: string): string {
  const path = join(paths.home, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** A replica set remembers the address of its member: the same port as the last time, if it is free. */
async function keptPort(path: string): Promise<number> {
  const last = existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
  const port = await getPort(last ? { port: last } : {});
  writeFileSync(path, String(port));
  return port;
}
