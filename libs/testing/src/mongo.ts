import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { afterAll, beforeAll } from 'vitest';
import { testConfig } from './config.ts';
import { findContainerEngine } from './containers.ts';
import { secantusd } from './prepared.ts';
import { type ServerProcess, startServerProcess } from './process.ts';

export interface TestMongo {
  /** The address of a database that nobody else uses; a new one at each read. */
  newDatabaseUrl(): string;
}

/** A MongoDB for the tests of this file: the one given by `TEST_MONGO_URL`, a container, or a process of its own. */
export function useMongo(): TestMongo {
  let withDatabase: ((name: string) => string) | undefined;
  let stop: (() => Promise<unknown>) | undefined;
  beforeAll(async () => {
    if (testConfig.TEST_MONGO_URL) {
      const given = testConfig.TEST_MONGO_URL;
      withDatabase = (name) => replaceDatabase(given, name);
      return;
    }
    const engine = await findContainerEngine();
    if (engine) {
      const container = await new engine.GenericContainer('mongo:8')
        .withCommand(['--replSet', 'rs0', '--bind_ip_all'])
        .withExposedPorts(27_017)
        .withHealthCheck({
          test: ['CMD-SHELL', `mongosh --quiet --eval 'try { rs.status().ok } catch { rs.initiate().ok }'`],
          interval: 1_000,
          retries: 30,
        })
        .withWaitStrategy(engine.Wait.forHealthCheck())
        .start();
      const address = `${container.getHost()}:${container.getMappedPort(27_017)}`;
      withDatabase = (name) => `mongodb://${address}/${name}?directConnection=true`;
      stop = () => container.stop();
    } else {
      const server = await startMongo();
      withDatabase = server.databaseUrl;
      // Its data goes with it, so there is nothing that it should write down in its own time.
      stop = () => server.kill('SIGKILL');
    }
  });
  afterAll(async () => stop?.());
  return {
    newDatabaseUrl() {
      if (!withDatabase) throw new Error('useMongo() gives addresses to hooks and tests only');
      return withDatabase(`test_${randomUUID().replaceAll('-', '')}`);
    },
  };
}

export interface MongoProcess extends ServerProcess {
  databaseUrl(name: string): string;
  /** Kills it and starts it again on the same port, with the data it kept. */
  restart(): Promise<void>;
  /** Kills it; its data stay. */
  goDown(): Promise<void>;
  /** Starts it after it went down. */
  comeBack(): Promise<void>;
}

/**
 * A database process of the test's own (SecantusDB, which speaks MongoDB's protocol), which it may stop or kill. With `keptChanges`
 * it forgets older changes than that many, so that a place in a change stream can grow too old.
 */
export async function startMongo({ keptChanges }: { keptChanges?: number } = {}): Promise<MongoProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'aigolos-mongo-'));
  const port = await getPort();
  const program = secantusd();
  const args = ['--host', '127.0.0.1', '--port', String(port), '--storage-path', dir];
  if (keptChanges !== undefined) args.push('--oplog-max-entries', String(keptChanges));
  let server = await startServerProcess(program, args, port);
  const goDown = () => server.kill('SIGKILL');
  const comeBack = async () => {
    server = await startServerProcess(program, args, port);
  };
  return {
    port,
    get pid() {
      return server.pid;
    },
    databaseUrl: (name) =>
      `mongodb://127.0.0.1:${port}/${name}?directConnection=true&retryWrites=false&journal=true&w=majority`,
    signal: (signal) => server.signal(signal),
    async kill(signal) {
      await server.kill(signal);
      await rm(dir, { recursive: true, force: true });
    },
    async restart() {
      await goDown();
      await comeBack();
    },
    goDown,
    comeBack,
  };
}

function replaceDatabase(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.href;
}
