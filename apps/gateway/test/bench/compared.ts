import { startProgram } from './program.ts';

/**
 * Measures each server of `server.ts` in turn, for some rounds after those to warm up, and stops them. What is first in one round is last
 * in the next.
 * @returns what each round cost each server in milliseconds of processor time for one unit of its work.
 */
export async function compare<Name extends string>(
  names: readonly Name[],
  { rounds, warmUp }: { rounds: number; warmUp: number },
  work: (url: string, name: Name) => Promise<{ units: number }>,
): Promise<Record<Name, number[]>> {
  const servers = await Promise.all(
    names.map(async (name) => ({ name, server: await startProgram<string>('server.ts', [name]) })),
  );
  const measured = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  try {
    for (let round = -warmUp; round < rounds; round += 1) {
      for (const { name, server } of round % 2 === 0 ? servers : servers.toReversed()) {
        const before = await server.cpuMs();
        const { units } = await work(server.ready, name);
        if (round >= 0) measured[name].push(((await server.cpuMs()) - before) / units);
      }
    }
    return measured;
  } finally {
    await Promise.all(servers.map(({ server }) => server.stop()));
  }
}
