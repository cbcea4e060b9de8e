import { readdir, readFile } from 'node:fs/promises';

/** The id of the one child of a process whose command line holds a text. Linux only, as the tests that ask are. */
export async function childRunning(text: string, parent = process.pid): Promise<number> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const matching = await Promise.all(
    pids.map(async (pid) => ((await isChild(pid, parent, text)) ? [Number(pid)] : [])),
  );
  const [found, ...others] = matching.flat();
  if (found === undefined || others.length > 0) throw new Error(`${matching.flat().length} children run ${text}`);
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

/** How many bytes a process has read and written, files and pipes alike. */
export async function bytesMoved(pid: number): Promise<{ read: number; written: number }> {
  const counters = await readFile(`/proc/${pid}/io`, 'utf8');
  const counter = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(counters)?.[1]);
  return { read: counter('rchar'), written: counter('wchar') };
}

/** Memory that a process has in RAM; 0 where it has ended. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
}

async function isChild(pid: string, parent: number, text: string): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  if (Number(/\) \S (\d+)/.exec(status)?.[1]) !== parent) return false;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes(text);
}
