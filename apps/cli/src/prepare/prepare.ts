import type { CliConfig } from '../config.ts';
import type { Reporter } from '../output/reporter.ts';
import { type DatabasePlan, planDatabase } from './database.ts';
import { configuredModels, ensureModels, withRequirements } from './models.ts';
import { ensurePrograms, espeakProgram, mediaPrograms, redisProgram } from './programs.ts';
import { asrEnvSpec, clientsEnvSpec, ensurePythonEnv, receiversEnvSpec, secantusEnvSpec } from './python-env.ts';

/** What the stack is started with. */
export interface Preparation {
  /** The Redis program; undefined where `REDIS_URL` is given. */
  redisServer: string | undefined;
  database: DatabasePlan;
  /** The Python of the ASR host; undefined where another engine is configured. */
  asrPython: string | undefined;
  hasEspeak: boolean;
}

/** Models that tests use besides the default ones. */
const TEST_MODELS = ['whisper-tiny.en'];

/**
 * Makes everything ready that the stack needs, a line a step. Quick where everything is there.
 * @throws CliError, AIGolosError: a sentence with what to do.
 */
export async function prepareStack(config: CliConfig, reporter: Reporter): Promise<Preparation> {
  const { env } = config;
  const programs = [...(env.REDIS_URL ? [] : [redisProgram()]), ...mediaPrograms(config), espeakProgram(config)];
  const found = await ensurePrograms(programs, config, reporter);
  const database = await planDatabase(config, reporter);
  const usesPython = env.ASR_ENGINE === 'faster-whisper';
  const asrPython = usesPython ? await ensurePythonEnv(asrEnvSpec(config), config, reporter) : undefined;
  await ensureModels(configuredModels(config), config, reporter);
  return { redisServer: found.get('Redis'), database, asrPython, hasEspeak: found.has('espeak-ng') };
}

/** Makes everything ready that tests need; they start their own servers. */
export async function prepareTests(config: CliConfig, reporter: Reporter): Promise<void> {
  await ensurePrograms([redisProgram(), ...mediaPrograms(config), espeakProgram(config)], config, reporter);
  await ensurePythonEnv(secantusEnvSpec(config), config, reporter);
  await ensurePythonEnv(asrEnvSpec(config), config, reporter);
  await ensurePythonEnv(receiversEnvSpec(config), config, reporter);
  await ensurePythonEnv(clientsEnvSpec(config), config, reporter);
  await ensureModels(withRequirements([...configuredModels(config), ...TEST_MODELS]), config, reporter);
}
