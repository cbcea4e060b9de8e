import { readdir, readFile } from 'node:fs/promises';

/** The id of a process's one child whose command line contains a text. Linux only, as the tests are. */
export async function childRunning(text: string, parent = process.pid): Promise<number> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const matching: number[] = [];
  for (const pid of pids) if (await isChild(pid, parent, text)) matching.push(Number(pid));
  const [found, ...others] = matching;
  if (found === undefined || others.length > 0) throw new Error(`${matching.length} children run ${text}`);
  return found;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** How much a process has read, from files and pipes alike. */
export async function bytesRead(pid: number): Promise<number> {
  const counters = await readFile(`/proc/${pid}/io`, 'utf8');
  return Number(/^rchar: (\d+)$/m.exec(counters)?.[1]);
}

async function isChild(pid: string, parent: number, text: string): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  if (Number(/\) \S (\d+)/.exec(status)?.[1]) !== parent) return false;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes(text);
}
