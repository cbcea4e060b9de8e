import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A server of `server.ts` in a process of its own. */
export interface Compared {
  url: string;
  /** Milliseconds of processor time that it has used so far: what else the machine does hardly changes what a request takes of it. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

async function startCompared(name: string): Promise<Compared> {
  const child = fork(join(import.meta.dirname, 'server.ts'), [name], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [url] = (await once(child, 'message')) as [string];
  return {
    url,
    async cpuMs() {
      const told = once(child, 'message') as Promise<[number]>;
      child.send('cpu');
      return (await told)[0];
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/**
 * Measures each server in turn, for some rounds after one to warm up, and stops them. What is first in one round is last in the next.
 * @returns what each round cost each server in milliseconds of processor time for one unit of its work.
 */
export async function compare<Name extends string>(
  names: readonly Name[],
  rounds: number,
  work: (server: Compared, name: Name) => Promise<{ units: number }>,
): Promise<Record<Name, number[]>> {
  const servers = await Promise.all(names.map(async (name) => ({ name, server: await startCompared(name) })));
  const measured = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  try {
    for (let round = -1; round < rounds; round += 1) {
      for (const { name, server } of round % 2 === 0 ? servers : servers.toReversed()) {
        const before = await server.cpuMs();
        const { units } = await work(server, name);
        if (round >= 0) measured[name].push(((await server.cpuMs()) - before) / units);
      }
    }
    return measured;
  } finally {
    await Promise.all(servers.map(({ server }) => server.stop()));
  }
}
