import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** A process that may have ended, its id being another's by now: it is the same one only if its command line has all marks. */
export interface ProcessIdentity {
  pid: number;
  marks: string[];
}

/** Does this very process still run? */
export async function isRunning({ pid, marks }: ProcessIdentity): Promise<boolean> {
  const commandLine = await commandLineOf(pid);
  return commandLine !== undefined && marks.every((mark) => commandLine.includes(mark));
}

/** Ends a process and all that it started, kindly at first. Does nothing where it does not run any more. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<boolean> {
  if (!(await isRunning(identity))) return false;
  signalGroup(identity.pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (Date.now() < deadline && (await isRunning(identity))) await sleep(50);
  signalGroup(identity.pid, 'SIGKILL');
  return true;
}

/** Sends a signal to a process that leads a group, and to the group. One that is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  signalProcess(-pid, signal);
}

/** Sends a signal to one process. One that is gone is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The command line of a live process; a process that ended and was not yet waited for has none. */
async function commandLineOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return text.replaceAll('\0', ' ').trim() || undefined;
  }
  const { stdout } = await execa('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { reject: false });
  return stdout?.trim() || undefined;
}
