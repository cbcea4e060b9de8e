import { openDatabaseLine } from '../database-line.ts';

/** A way to a database that tells what was asked of it. */
export interface CommandCounter {
  /** The same address, by this way. */
  through(url: string): string;
  /** What was asked since the last time, in order, as `find jobs`. What belongs to looking at keys is left out: it depends on caches. */
  take(): string[];
  close(): Promise<void>;
}

const OF_KEYS = new Set(['accounts', 'api_keys']);

export async function startCommandCounter(databaseUrl: string): Promise<CommandCounter> {
  const asked: string[] = [];
  const line = await openDatabaseLine(Number(new URL(databaseUrl).port), (command) => {
    // The first field of a command names it; where it works on a collection, its value is the collection's name.
    const [[name, collection] = []] = Object.entries(command);
    if (typeof collection === 'string' && !OF_KEYS.has(collection)) asked.push(`${name} ${collection}`);
  });
  return {
    through(url) {
      const address = new URL(url);
      address.host = `127.0.0.1:${line.port}`;
      return address.href;
    },
    take: () => asked.splice(0),
    close: () => line.close(),
  };
}
