import { execa } from 'execa';
import { findProgram } from './find-program.ts';

/** A package manager of the system, and how it is asked to install without a question. */
const MANAGERS = [
  {
    name: 'apt',
    command: 'apt-get',
    install: ['install', '-y', '-q', '--no-install-recommends'],
    update: ['update', '-q'],
  },
  { name: 'dnf', command: 'dnf', install: ['install', '-y', '-q'] },
  { name: 'apk', command: 'apk', install: ['add', '--no-cache'] },
  { name: 'brew', command: 'brew', install: ['install'] },
] as const;
type Manager = (typeof MANAGERS)[number];
export type ManagerName = Manager['name'];

export interface SystemPackages {
  name: ManagerName;
  /** May this user install without being asked for a password? */
  allowed: boolean;
  /** What a user would type. */
  commandLine(packages: string[]): string;
  /** @throws ExecaError with what the package manager said. */
  install(packages: string[]): Promise<void>;
}

/** The package manager of this system; undefined where it has none that is known here. */
export async function findSystemPackages(
  searchPath: string,
  userId: number | undefined = process.getuid?.(),
): Promise<SystemPackages | undefined> {
  for (const manager of MANAGERS) {
    if (await findProgram(manager.command, searchPath)) return describe(manager, searchPath, userId);
  }
  return undefined;
}

async function describe(manager: Manager, searchPath: string, userId: number | undefined): Promise<SystemPackages> {
  const needsRoot = manager.name !== 'brew';
  const isRoot = userId === 0;
  const env = { PATH: searchPath };
  const maySudo = async () =>
    (await findProgram('sudo', searchPath)) !== undefined &&
    (await execa('sudo', ['-n', 'true'], { env, reject: false })).exitCode === 0;
  const sudo = needsRoot && !isRoot ? ['sudo', '-n'] : [];
  const run = async (args: readonly string[]) => {
    const [command = '', ...rest] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', manager.command, ...args];
    await execa(command, rest, { env, stdin: 'ignore', all: true });
  };
  return {
    name: manager.name,
    allowed: !needsRoot || isRoot || (await maySudo()),
    commandLine: (packages) => {
      const prefix = needsRoot && !isRoot ? 'sudo ' : '';
      return `${prefix}${manager.command} ${manager.install[0]} ${packages.join(' ')}`;
    },
    async install(packages) {
      try {
        await run([...manager.install, ...packages]);
      } catch (error) {
        if (!('update' in manager)) throw error;
        // Fresh images have no package lists, and old lists name packages that are gone.
        await run(manager.update);
        await run([...manager.install, ...packages]);
      }
    },
  };
}
