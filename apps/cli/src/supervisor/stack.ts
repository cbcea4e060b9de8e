import { CliError } from '../cli-error.ts';
import type { CliConfig } from '../config.ts';
import { givenDataSettings } from '../data-settings.ts';
import type { Reporter } from '../output/reporter.ts';
import { type Preparation, prepareStack } from '../prepare/prepare.ts';
import { type LocalKeys, prepareAccess, readApiKey } from './access.ts';
import { appSpecs, gatewayUrl } from './apps.ts';
import { accepts, redisAnswers } from './health-checks.ts';
import type { LogLine } from './log-line.ts';
import { assertPortIsFree } from './port-check.ts';
import { databaseServer, redisServer } from './servers.ts';
import { claimHome, readStackState, releaseHome, runningSupervisor } from './stack-state.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

/** A stack that answers. */
export interface RunningStack {
  url: string;
  apiKey: string;
}

export interface OwnStack extends RunningStack {
  /** Its keys that are new, with the files that they lie in. */
  newKeys: LocalKeys['made'];
  /** Stops the apps, then their servers. Safe to call twice. */
  stop(): Promise<void>;
}

export interface StackOptions {
  reporter: Reporter;
  /** What the apps say; it goes to the log file in any case. */
  onLine?: (line: LogLine) => void;
  /** Aborted: what was started is stopped, and the start fails. */
  signal?: AbortSignal;
}

const DEFAULT_REDIS_PORT = 6379;

/** The stack of this data folder, if one runs and is ready. */
export async function findRunningStack({ paths }: CliConfig): Promise<RunningStack | undefined> {
  if (!(await runningSupervisor(paths.home))) return undefined;
  const url = readStackState(paths.home)?.url;
  const apiKey = await readApiKey(paths.home);
  return url !== undefined && apiKey !== undefined ? { url, apiKey } : undefined;
}

/**
 * Prepares the machine and starts Redis, the database and all apps under supervision.
 * @throws CliError, AIGolosError: a sentence with what to do. Nothing is left running then.
 */
export async function startStack(config: CliConfig, options: StackOptions): Promise<OwnStack> {
  const { env, paths } = config;
  const { reporter, signal, onLine = () => {} } = options;
  const left = await claimHome(paths.home, [process.argv[1] ?? '']);
  if (left === undefined) throw new CliError(`A stack with its data in ${paths.home} is starting or running already.`);
  const aborted = rejection(signal);
  let supervisor: Supervisor | undefined;
  try {
    if (left.length > 0) reporter.warn('stack', `ended what the last one left running: ${left.join(', ')}`);
    await assertPortIsFree(env.HOST, env.PORT);
    const preparation = await Promise.race([prepareStack(config, reporter), aborted]);
    supervisor = createSupervisor(config, onLine);
    reporter.begin('stack', 'starting');
    const running = await Promise.race([startProcesses(config, preparation, supervisor), aborted]);
    return { ...running, stop: supervisor.stop };
  } catch (error) {
    await supervisor?.stop();
    releaseHome(paths.home);
    throw error;
  }
}

async function startProcesses(
  config: CliConfig,
  preparation: Preparation,
  supervisor: Supervisor,
): Promise<Omit<OwnStack, 'stop'>> {
  const { env, paths } = config;
  const { database } = preparation;
  const redis = env.REDIS_URL ? undefined : await redisServer(preparation.redisServer ?? 'redis-server', config);
  const mongo = database.kind === 'given' ? undefined : await databaseServer(database, config);
  const redisUrl = redis?.url ?? (await answeringRedis(env.REDIS_URL ?? ''));
  const mongoUrl = mongo?.url ?? env.MONGO_URL ?? '';
  supervisor.publish({ redisUrl, mongoUrl, settings: givenDataSettings(config) });
  await supervisor.start(
    'server',
    [redis?.spec, mongo?.spec].filter((spec) => spec !== undefined),
  );
  if (database.kind === 'mongod') await (await import('@aigolos/db')).ensureReplicaSet(mongoUrl);
  const { apiKey, made: newKeys } = await prepareAccess(mongoUrl, paths.home);
  await supervisor.start('app', await appSpecs(config, { redisUrl, mongoUrl }, preparation));
  const url = gatewayUrl(config);
  supervisor.publish({ url });
  return { url, apiKey, newKeys };
}

async function answeringRedis(url: string): Promise<string> {
  const { hostname, port, host, protocol } = new URL(url);
  const check = protocol === 'rediss:' ? accepts : redisAnswers;
  if (await check(Number(port || DEFAULT_REDIS_PORT), hostname)) return url;
  throw new CliError(`The Redis at ${host} does not answer: start it, or correct REDIS_URL.`);
}

function rejection(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  // It may be aborted when nobody waits any more.
  promise.catch(() => {});
  signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  return promise;
}
