import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '@aigolos/contracts';
import { createConnection, type mongo } from 'mongoose';

/** MongoDB's error code for a server that was started as a member of a replica set which does not exist yet. */
const NOT_YET_INITIALIZED = 94;
const POLL_MS = 100;
const TIMEOUT_MS = 30_000;

/** A member as `replSetGetConfig` has it. */
interface ReplicaSetConfig {
  version: number;
  members: { host: string }[];
}

/**
 * Makes the mongod at this address (started with `--replSet rs0`) a replica set of one and waits until it takes writes.
 * Safe to call at each start; a set that remembers another port gets this one.
 * @throws UnavailableError where it does not take writes within 30 seconds.
 */
export async function ensureReplicaSet(url: string): Promise<void> {
  const connection = await createConnection(url, { directConnection: true }).asPromise();
  try {
    const admin = connection.getClient().db('admin');
    await configure(admin, new URL(url).host);
    const deadline = Date.now() + TIMEOUT_MS;
    while (!(await admin.command({ hello: 1 })).isWritablePrimary) {
      if (Date.now() > deadline) throw new UnavailableError('The MongoDB replica set has no primary after 30 seconds.');
      await sleep(POLL_MS);
    }
  } finally {
    await connection.close();
  }
}

async function configure(admin: mongo.Db, host: string): Promise<void> {
  try {
    const { config } = (await admin.command({ replSetGetConfig: 1 })) as unknown as { config: ReplicaSetConfig };
    const [member] = config.members;
    if (!member || member.host === host) return;
    const moved = { ...config, version: config.version + 1, members: [{ ...member, host }] };
    await admin.command({ replSetReconfig: moved, force: true });
  } catch (error) {
    if ((error as mongo.MongoServerError).code !== NOT_YET_INITIALIZED) throw error;
    await admin.command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host }] } });
  }
}
