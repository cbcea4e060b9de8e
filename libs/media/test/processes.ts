import { readdir, readFile } from 'node:fs/promises';

/** The id of this process's one child of that name. Linux only, as the tests are. */
export async function childNamed(name: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const matching = await Promise.all(pids.map(async (pid) => ((await isChild(pid, name)) ? [Number(pid)] : [])));
  const [found, ...others] = matching.flat();
  if (found === undefined || others.length > 0)
    throw new Error(`${matching.flat().length} children are called ${name}`);
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

/** How much a process has written, to files and pipes alike. */
export async function bytesWritten(pid: number): Promise<number> {
  const counters = await readFile(`/proc/${pid}/io`, 'utf8');
  return Number(/^wchar: (\d+)$/m.exec(counters)?.[1]);
}

async function isChild(pid: string, name: string): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [, command, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(status) ?? [];
  return command === name && Number(parent) === process.pid;
}
