import type { Logger } from '@aigolos/runtime';
import { execa } from 'execa';

/** What reading one file may cost. */
export interface ToolLimits {
  /** Memory that a tool may have for itself. */
  memoryBytes: number;
  /** Of one processor; a file of two hours takes some ten. */
  cpuSeconds: number;
  /** A tool that gives nothing for so long, though it is waited for, is ended. */
  silenceMs: number;
}

export const DEFAULT_LIMITS: ToolLimits = { memoryBytes: 512 * 1024 ** 2, cpuSeconds: 600, silenceMs: 30_000 };

/** What a tool may take of it: of one that writes what we made, only memory is limited. */
export interface Cost {
  cpuSeconds?: number;
  /** May it write to files? Otherwise to its pipes alone. */
  writesFiles?: boolean;
}

/** What is to be started, so that it stays within its limits and dies with this process. */
export interface Confined {
  program: string;
  args: string[];
  /** Are limits kept here? */
  isLimited: boolean;
}

/** How a program and its arguments are to be started. */
export type Confine = (program: string, args: string[], cost: Cost) => Promise<Confined>;

/**
 * Gets none of the signals that a terminal sends, which are for who started it; yields to everything else that the machine does, so
 * that a crowd of files slows down itself; dies with its process, however that dies; gains no rights by what it runs.
 */
const [STARTER, ...TIED] = 'setsid nice -n 10 setpriv --pdeathsig KILL --no-new-privs prlimit --core=0'.split(' ') as [
  string,
  ...string[],
];
/** ffmpeg ends by itself when it is told that its time is up, and a decoder that does not listen at the fourth time. */
const SECONDS_TO_END = 5;

/**
 * Linux keeps the limits (setrlimit(2), prctl(2)), set by setpriv and prlimit of util-linux, which become the tool in turn.
 * Where these are missing, a warning says so once, and tools run without.
 */
export function createConfinement(memoryBytes: number, log?: Pick<Logger, 'warn'>): Confine {
  let answer: Promise<boolean> | undefined;
  const canConfine = async () => {
    const { failed } = await execa(STARTER, [...TIED, '--', 'true'], { reject: false, stdin: 'ignore' });
    if (failed)
      log?.warn('setsid, setpriv and prlimit (util-linux) do not run here: ffmpeg has no limits of memory and time');
    return !failed;
  };
  return async (program, args, { cpuSeconds, writesFiles = false }) => {
    answer ??= canConfine();
    if (!(await answer)) return { program, args, isLimited: false };
    const limits = [
      `--data=${memoryBytes}`,
      ...(cpuSeconds === undefined ? [] : [`--cpu=${cpuSeconds}:${cpuSeconds + SECONDS_TO_END}`]),
      ...(writesFiles ? [] : ['--fsize=0']),
    ];
    return { program: STARTER, args: [...TIED, ...limits, '--', program, ...args], isLimited: true };
  };
}
