/**
 * A database shell: runs what it reads, a line each, through the driver alone, and answers with a line. For tests of what follows
 * from a change that none of our code has made. Lines are MongoDB's Extended JSON.
 */
import { createInterface } from 'node:readline';
import { createConnection, mongo } from 'mongoose';

const { EJSON } = mongo.BSON;

interface Command {
  collection: string;
  method: string;
  args: unknown[];
}

const connection = await createConnection(process.argv[2] ?? '').asPromise();

async function run({ collection, method, args }: Command): Promise<{ result: unknown } | { error: string }> {
  if (method === 'dump') return { result: await dump() };
  const target = connection.db?.collection(collection) as unknown as Record<string, (...args: unknown[]) => unknown>;
  try {
    return { result: await target[method]?.(...args) };
  } catch (error) {
    return { error: String(error) };
  }
}

/** Every document of every collection. */
async function dump(): Promise<Record<string, unknown[]>> {
  const collections = (await connection.db?.collections()) ?? [];
  const documents = collections.map(
    async (one) => [one.collectionName, await one.find().toArray()] as [string, unknown[]],
  );
  return Object.fromEntries(await Promise.all(documents));
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${EJSON.stringify(await run(EJSON.parse(line) as Command))}\n`);
}
await connection.close();
