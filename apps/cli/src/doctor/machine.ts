import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { installedModel } from '@aigolos/engines/catalogue';
import { messageOf } from '@aigolos/runtime';
import { execa } from 'execa';
import type { CliConfig } from '../config.ts';
import { freeBytes, megabytes } from '../prepare/disk.ts';
import { findProgram } from '../prepare/find-program.ts';
import { configuredModels } from '../prepare/models.ts';
import { findMongod } from '../prepare/mongod.ts';
import { espeakProgram, mediaPrograms, type Program, redisProgram, remedyFor } from '../prepare/programs.ts';
import { findPython } from '../prepare/python.ts';
import { asrEnvSpec, installedPython, type PythonEnvSpec, secantusEnvSpec } from '../prepare/python-env.ts';
import type { Finding } from './finding.ts';

const START_BRINGS_IT = 'npm start brings it';
const LITTLE_ROOM_BYTES = 2e9;

/** Looks at everything that the stack needs of this machine. Changes nothing. */
export async function checkMachine(config: CliConfig): Promise<Finding[]> {
  const { env } = config;
  const usesPython = env.ASR_ENGINE === 'faster-whisper';
  const programs = [...(env.REDIS_URL ? [] : [redisProgram()]), ...mediaPrograms(config), espeakProgram(config)];
  return [
    { name: 'Node', state: 'ok', detail: `${process.version} (${process.execPath})` },
    ...(usesPython ? [await checkPython(config)] : []),
    ...(await Promise.all(programs.map((program) => checkProgram(program, config)))),
    await checkDatabase(config),
    ...(usesPython ? [await checkPythonEnv(asrEnvSpec(config), config)] : []),
    ...(await Promise.all(configuredModels(config).map((id) => checkModel(id, config)))),
    ...(await checkDisks(config)),
  ];
}

async function checkPython(config: CliConfig): Promise<Finding> {
  try {
    const { path, version, pipVersion } = await findPython(config);
    return { name: 'Python', state: 'ok', detail: `${version}, pip ${pipVersion} (${path})` };
  } catch (error) {
    return { name: 'Python', state: 'bad', detail: messageOf(error) };
  }
}

async function checkProgram(program: Program, { env }: CliConfig): Promise<Finding> {
  const { name, command, lossWithout } = program;
  const path = await findProgram(command, env.PATH);
  if (path) return { name, state: 'ok', detail: `${await versionOf(path)} (${path})` };
  const remedy = await remedyFor(program, env.PATH);
  return lossWithout === undefined
    ? { name, state: 'bad', detail: 'missing', remedy }
    : { name, state: 'warning', detail: `missing, so there is no ${lossWithout}`, remedy };
}

/** The first number with dots that it says of itself. */
async function versionOf(path: string): Promise<string> {
  for (const option of ['--version', '-version']) {
    const { stdout, failed } = await execa(path, [option], { reject: false, stdin: 'ignore', timeout: 5_000 });
    const version = /\d+(\.\d+)+/.exec(stdout ?? '')?.[0];
    if (!failed && version) return version;
  }
  return 'version unknown';
}

async function checkDatabase(config: CliConfig): Promise<Finding> {
  const name = 'MongoDB';
  if (config.env.MONGO_URL) return { name, state: 'ok', detail: 'the one given by MONGO_URL' };
  try {
    const mongod = await findMongod(config);
    if (mongod) return { name, state: 'ok', detail: mongod };
  } catch (error) {
    return { name, state: 'bad', detail: messageOf(error) };
  }
  const secantus = await checkPythonEnv(secantusEnvSpec(config), config);
  return {
    name,
    state: secantus.state === 'ok' ? 'warning' : 'bad',
    detail: secantus.state === 'ok' ? 'SecantusDB stands in' : 'missing',
    remedy: secantus.state === 'ok' ? 'for data you must keep, install mongod or set MONGO_URL' : START_BRINGS_IT,
  };
}

async function checkPythonEnv(spec: PythonEnvSpec, config: CliConfig): Promise<Finding> {
  const python = await installedPython(spec, config);
  return python
    ? { name: spec.name, state: 'ok', detail: dirname(dirname(python)) }
    : { name: spec.name, state: 'bad', detail: 'missing', remedy: START_BRINGS_IT };
}

async function checkModel(id: string, { paths }: CliConfig): Promise<Finding> {
  const model = await installedModel(id, paths.models);
  return model
    ? { name: id, state: 'ok', detail: `${megabytes(model.bytes)} (${model.folder})` }
    : { name: id, state: 'bad', detail: 'missing', remedy: START_BRINGS_IT };
}

async function checkDisks({ paths }: CliConfig): Promise<Finding[]> {
  const checks = Object.entries({ data: paths.home, models: paths.models }).map(async ([what, folder]) => {
    const bytes = await freeBytes(nearestExisting(folder));
    const detail = `${megabytes(bytes)} free for ${folder}`;
    const name = `disk of the ${what}`;
    return bytes < LITTLE_ROOM_BYTES
      ? ({ name, state: 'warning', detail, remedy: 'free some space before it runs full' } as const)
      : ({ name, state: 'ok', detail } as const);
  });
  return Promise.all(checks);
}

function nearestExisting(folder: string): string {
  return existsSync(folder) ? folder : nearestExisting(dirname(folder));
}
