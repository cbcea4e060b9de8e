import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A server of `server.ts` in a process of its own. */
export interface Compared {
  url: string;
  stop(): Promise<void>;
}

export async function startCompared(name: string): Promise<Compared> {
  const child = fork(join(import.meta.dirname, 'server.ts'), [name], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [url] = (await once(child, 'message')) as [string];
  return {
    url,
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/** Runs with all of them, side by side and idle but for the one that is measured. */
export async function withCompared<Name extends string, Result>(
  names: readonly Name[],
  run: (urls: Record<Name, string>) => Promise<Result>,
): Promise<Result> {
  const servers = await Promise.all(names.map(startCompared));
  try {
    const urls = Object.fromEntries(names.map((name, index) => [name, servers[index]?.url ?? '']));
    return await run(urls as Record<Name, string>);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}
