import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import type { CliConfig } from '../config.ts';
import type { Reporter } from '../output/reporter.ts';
import { downloadMongod, findMongod } from './mongod.ts';
import { ensurePythonEnv, secantusEnvSpec } from './python-env.ts';

/** Which database server the stack uses. */
export type DatabasePlan =
  | { kind: 'given'; url: string }
  | { kind: 'mongod'; program: string; dataDir: string }
  | { kind: 'secantusdb'; python: string; dataDir: string };

/**
 * Decides on the database server and makes it ready to start: the given one, the machine's mongod, a downloaded mongod,
 * else SecantusDB. Data that lie there already decide before anything else: no start may begin anew in silence.
 * @throws CliError
 */
export async function planDatabase(config: CliConfig, reporter: Reporter): Promise<DatabasePlan> {
  const { env, paths } = config;
  if (env.MONGO_URL) {
    reporter.ok('MongoDB', `the one given by MONGO_URL (${new URL(env.MONGO_URL).host})`);
    return { kind: 'given', url: env.MONGO_URL };
  }
  const mongoData = join(paths.home, 'mongodb');
  const secantusData = join(paths.home, 'secantusdb');
  if (existsSync(secantusData)) return planSecantus(config, reporter, secantusData);
  const found = await findMongod(config);
  const program = found ?? (await downloadMongod(config, reporter));
  if (program) {
    reporter.ok('MongoDB', `${program}, data in ${mongoData}`);
    return { kind: 'mongod', program, dataDir: mongoData };
  }
  if (existsSync(mongoData)) {
    throw new CliError(
      `The data in ${mongoData} need mongod, which is neither found nor to be downloaded: put mongod into PATH, or begin anew with: npm run reset`,
    );
  }
  return planSecantus(config, reporter, secantusData);
}

async function planSecantus(config: CliConfig, reporter: Reporter, dataDir: string): Promise<DatabasePlan> {
  const python = await ensurePythonEnv(secantusEnvSpec(config), config, reporter);
  reporter.warn(
    'MongoDB',
    'no mongod here: SecantusDB (GPL-2.0, a process of its own) stands in. For trying out: no place for data you must keep.',
  );
  return { kind: 'secantusdb', python, dataDir };
}
