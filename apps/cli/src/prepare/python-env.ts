import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import lockfile from 'proper-lockfile';
import { CliError } from '../cli-error.ts';
import type { CliConfig } from '../config.ts';
import type { Reporter } from '../output/reporter.ts';
import { assertRoom, megabytes } from './disk.ts';
import { findPython, type Python } from './python.ts';

/** Written when every package is in; without it an environment is taken as half made. */
const STAMP_NAME = 'complete';
/** pip can install into another environment since 22.3. */
const PIP_FOR_OTHER_ENVIRONMENTS = 22.3;
const LOCK_WAIT = { retries: 600, factor: 1, minTimeout: 1_000 };

/** A Python environment, made from a requirements file in which every package has its hashes. */
export interface PythonEnvSpec {
  /** As it is called in messages. */
  name: string;
  requirements: string;
  /** About what it takes on the disk. */
  bytes: number;
}

export function asrEnvSpec({ paths }: CliConfig): PythonEnvSpec {
  const requirements = join(paths.root, 'libs', 'engines', 'python', 'requirements.txt');
  return { name: 'Python for ASR', requirements, bytes: 480e6 };
}

export function secantusEnvSpec({ paths }: CliConfig): PythonEnvSpec {
  const requirements = join(paths.root, 'apps', 'cli', 'python', 'secantusdb.txt');
  return { name: 'Python for SecantusDB', requirements, bytes: 120e6 };
}

/** What the Python receiver of docs/webhooks.md needs, which tests run. */
export function receiversEnvSpec({ paths }: CliConfig): PythonEnvSpec {
  const requirements = join(paths.root, 'apps', 'e2e', 'python', 'receivers.txt');
  return { name: 'Python for webhooks', requirements, bytes: 1e6 };
}

/** The official client for Python and the fuzzer of our API description, which tests run. */
export function clientsEnvSpec({ paths }: CliConfig): PythonEnvSpec {
  const requirements = join(paths.root, 'apps', 'e2e', 'python', 'clients.txt');
  return { name: 'Python for clients', requirements, bytes: 115e6 };
}

/** Where the environment of a requirements file lies: another file makes another environment. */
async function pythonEnvFolder(spec: PythonEnvSpec, config: CliConfig): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(spec.requirements))
    .digest('hex');
  return join(config.paths.python, hash.slice(0, 12));
}

/** The interpreter of a complete environment; undefined where it is not, or its Python has gone. */
export async function installedPython(spec: PythonEnvSpec, config: CliConfig): Promise<string | undefined> {
  const folder = await pythonEnvFolder(spec, config);
  const interpreter = interpreterIn(folder);
  return existsSync(join(folder, STAMP_NAME)) && existsSync(interpreter) ? interpreter : undefined;
}

/**
 * Makes the environment where there is none, once however many processes ask.
 * @returns its interpreter.
 * @throws CliError with what to do.
 */
export async function ensurePythonEnv(spec: PythonEnvSpec, config: CliConfig, reporter: Reporter): Promise<string> {
  const folder = await pythonEnvFolder(spec, config);
  const present = await installedPython(spec, config);
  if (present) {
    reporter.ok(spec.name, folder);
    return present;
  }
  const python = await findPython(config);
  await assertRoom(config.paths.python, spec.bytes * 1.5, spec.name);
  reporter.begin(spec.name, `installing packages, about ${megabytes(spec.bytes)} on the disk (a minute or two)`);
  const release = await lockfile.lock(folder, { realpath: false, retries: LOCK_WAIT });
  try {
    if (!(await installedPython(spec, config))) await build(spec, folder, python);
  } finally {
    await release();
  }
  reporter.ok(spec.name, folder);
  return interpreterIn(folder);
}

function interpreterIn(folder: string): string {
  return join(folder, 'bin', 'python');
}

async function build(spec: PythonEnvSpec, folder: string, python: Python): Promise<void> {
  const interpreter = interpreterIn(folder);
  // What is left there may be of another Python, or of one that has gone: nothing to build on.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const ownPip = Number.parseFloat(python.pipVersion) < PIP_FOR_OTHER_ENVIRONMENTS;
  await makeEnvironment(folder, python, ownPip);
  const pip = ownPip ? [interpreter, '-m', 'pip'] : [python.path, '-m', 'pip', '--python', interpreter];
  await installRequirements(spec, pip);
  await writeFile(join(folder, STAMP_NAME), `Python ${python.version}\n`);
}

/** Without pip, where the outer pip can do its work: Debian has `venv` always, but what puts pip into it only in a package. */
async function makeEnvironment(folder: string, python: Python, withPip: boolean): Promise<void> {
  const options = withPip ? [] : ['--without-pip'];
  const made = await execa(python.path, ['-m', 'venv', ...options, folder], {
    reject: false,
    all: true,
    stdin: 'ignore',
  });
  if (!made.failed) return;
  const reason = made.all?.trimEnd().split('\n').at(-1) ?? made.shortMessage;
  throw new CliError(
    /ensurepip|No module named venv/.test(made.all ?? '')
      ? `${python.path} cannot make environments: install its venv (Debian, Ubuntu: sudo apt-get install python3-venv) and run the command again.`
      : `${python.path} could not make an environment in ${folder}: ${reason}`,
  );
}

async function installRequirements(spec: PythonEnvSpec, [pip = '', ...pipArgs]: string[]): Promise<void> {
  const args = [
    'install',
    '--require-hashes',
    '--only-binary=:all:',
    '--no-input',
    '--disable-pip-version-check',
    '-q',
  ];
  const installed = await execa(pip, [...pipArgs, ...args, '--retries=2', '-r', spec.requirements], {
    reject: false,
    all: true,
    stdin: 'ignore',
  });
  if (!installed.failed) return;
  throw new CliError(`${spec.name}: ${explain(installed.all ?? installed.shortMessage ?? '')}`);
}

function explain(output: string): string {
  if (/No space left/.test(output))
    return 'its packages do not fit on the disk: free some space and run the command again.';
  if (/Retrying|ConnectionError|NewConnectionError|ResolutionError|Max retries/.test(output)) {
    return 'its packages cannot be fetched: connect to the internet, or point pip to a mirror (pip config set global.index-url <address>), and run the command again.';
  }
  const error = output.split('\n').findLast((line) => line.includes('ERROR')) ?? output.trimEnd().split('\n').at(-1);
  return `pip could not install its packages: ${error?.trim()}`;
}
