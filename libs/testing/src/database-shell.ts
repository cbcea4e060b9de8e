import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';

/** A connection to a database that knows nothing of our code: another process, with the driver alone. */
export interface DatabaseShell {
  /** Calls a method of a collection; dates among the arguments arrive as dates. @throws what the database answered. */
  run(
    collection: string,
    method: 'insertOne' | 'insertMany' | 'updateOne' | 'deleteOne' | 'deleteMany',
    ...args: unknown[]
  ): Promise<unknown>;
  /** Every document of every collection, as text. */
  dump(): Promise<string>;
  close(): Promise<void>;
}

const SCRIPT = join(import.meta.dirname, '..', '..', 'db', 'test', 'shell.ts');

export function openDatabaseShell(url: string): DatabaseShell {
  const child = execa(process.execPath, [SCRIPT, url], {
    reject: false,
    cleanup: true,
    stderr: 'inherit',
    buffer: false,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();

  async function call(command: Record<string, unknown>): Promise<unknown> {
    child.stdin.write(`${toExtendedJson(command)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('the database shell has ended');
    const answer = JSON.parse(value) as { result?: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.result;
  }
  const inTurn = (command: Record<string, unknown>) => {
    const answered = last.then(() => call(command));
    last = answered.catch(() => {});
    return answered;
  };
  return {
    run: (collection, method, ...args) => inTurn({ collection, method, args }),
    dump: async () => JSON.stringify(await inTurn({ method: 'dump' })),
    async close() {
      child.stdin.end();
      await child;
    },
  };
}

/** Dates as MongoDB's Extended JSON has them. */
function toExtendedJson(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, encoded: unknown) {
    const plain = this[key];
    return plain instanceof Date ? { $date: plain.toISOString() } : encoded;
  });
}
