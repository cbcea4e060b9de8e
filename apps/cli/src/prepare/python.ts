import { execa } from 'execa';
import { CliError } from '../cli-error.ts';
import type { CliConfig } from '../config.ts';

const OLDEST_MINOR = 10;

export interface Python {
  path: string;
  /** Such as 3.11.7. */
  version: string;
  /** Such as 23.2.1. */
  pipVersion: string;
}

/**
 * The user's Python.
 * @throws CliError where it is missing, too old or without pip.
 */
export async function findPython({ env }: CliConfig): Promise<Python> {
  const path = env.AIGOLOS_PYTHON;
  const script = 'import platform; print(platform.python_version()); import pip; print(pip.__version__)';
  const answer = await execa(path, ['-c', script], { reject: false, stdin: 'ignore' });
  const [version, pipVersion] = (answer.stdout ?? '').split('\n');
  if (!version) {
    throw new CliError(
      `Python 3.${OLDEST_MINOR} or newer is missing (tried ${path}): install it, or name one in AIGOLOS_PYTHON.`,
    );
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major !== 3 || minor < OLDEST_MINOR) {
    throw new CliError(
      `${path} is Python ${version}, and 3.${OLDEST_MINOR} or newer is needed: name a newer one in AIGOLOS_PYTHON.`,
    );
  }
  if (!pipVersion) {
    throw new CliError(
      `${path} (Python ${version}) has no pip: install it (Debian, Ubuntu: sudo apt-get install python3-pip) and run the command again.`,
    );
  }
  return { path, version, pipVersion };
}
