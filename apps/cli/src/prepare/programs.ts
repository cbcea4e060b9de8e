import { messageOf } from '@aigolos/runtime';
import { CliError } from '../cli-error.ts';
import type { CliConfig } from '../config.ts';
import type { Reporter } from '../output/reporter.ts';
import { findProgram } from './find-program.ts';
import { findSystemPackages, type ManagerName } from './system-packages.ts';

/** A program that AIGolos runs and that comes with the system. */
export interface Program {
  /** As it is called in messages. */
  name: string;
  command: string;
  packages: Record<ManagerName, string>;
  /** What is lost without it; undefined where nothing works then. */
  lossWithout?: string;
}

export function redisProgram(): Program {
  return {
    name: 'Redis',
    command: 'redis-server',
    packages: { apt: 'redis-server', dnf: 'redis', apk: 'redis', brew: 'redis' },
  };
}

export function mediaPrograms({ env }: CliConfig): Program[] {
  const packages = { apt: 'ffmpeg', dnf: 'ffmpeg-free', apk: 'ffmpeg', brew: 'ffmpeg' };
  return [
    { name: 'ffmpeg', command: env.FFMPEG_PATH, packages },
    { name: 'ffprobe', command: env.FFPROBE_PATH, packages },
  ];
}

export function espeakProgram({ env }: CliConfig): Program {
  const packages = { apt: 'espeak-ng', dnf: 'espeak-ng', apk: 'espeak-ng', brew: 'espeak-ng' };
  const lossWithout = 'speech in languages without a voice of their own';
  return { name: 'espeak-ng', command: env.ESPEAK_PATH, packages, lossWithout };
}

/**
 * Makes sure that the programs are there, and installs those that are missing where the user may.
 * @returns the path of each that is there, by name.
 * @throws CliError with the command to run by hand.
 */
export async function ensurePrograms(
  programs: Program[],
  config: CliConfig,
  reporter: Reporter,
): Promise<Map<string, string>> {
  const searchPath = config.env.PATH;
  const found = await findAll(programs, searchPath);
  const missing = programs.filter(({ name }) => !found.has(name));
  for (const group of [missing.filter(isNeeded), missing.filter((program) => !isNeeded(program))]) {
    if (group.length > 0) await installMissing(group, searchPath, reporter);
  }
  const all = missing.length > 0 ? await findAll(programs, searchPath) : found;
  for (const { name, lossWithout } of programs) {
    const path = all.get(name);
    if (path) reporter.ok(name, path);
    else if (lossWithout === undefined) throw new CliError(`${name} is still missing after it was installed.`);
  }
  return all;
}

/** What to type to get a program. */
export async function remedyFor({ name, packages }: Program, searchPath: string): Promise<string> {
  const manager = await findSystemPackages(searchPath);
  return manager
    ? `install it with: ${manager.commandLine([packages[manager.name]])}`
    : `install ${name} and make sure that it is found in PATH`;
}

function isNeeded(program: Program): boolean {
  return program.lossWithout === undefined;
}

async function findAll(programs: Program[], searchPath: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { name, command } of programs) {
    const path = await findProgram(command, searchPath);
    if (path) found.set(name, path);
  }
  return found;
}

/** Missing programs without which something works are warned about; the others end the command. */
async function installMissing(programs: Program[], searchPath: string, reporter: Reporter): Promise<void> {
  const names = programs.map(({ name }) => name).join(' and ');
  const give = (reason: string) => {
    const loss = programs[0]?.lossWithout;
    if (loss === undefined) throw new CliError(`${names} is missing${reason}`);
    reporter.warn(names, `missing${reason} Without it there is no ${loss}.`);
  };
  const manager = await findSystemPackages(searchPath);
  if (!manager) return give(': install it and make sure that it is found in PATH.');
  const packages = [...new Set(programs.map((program) => program.packages[manager.name]))];
  if (!manager.allowed) return give(`: install it with "${manager.commandLine(packages)}" and run the command again.`);
  reporter.begin(names, `missing; installing with ${manager.name} (a minute or two)`);
  await manager.install(packages).catch((error: unknown) => {
    give(`, and installing it failed (${lastLine(error)}): try "${manager.commandLine(packages)}" by hand.`);
  });
}

function lastLine(error: unknown): string {
  return messageOf(error).trimEnd().split('\n').at(-1) ?? '';
}
