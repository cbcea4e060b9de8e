import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import getPort from 'get-port';
import { watchForSecrets } from './secret-watch.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
/** Compiled code is kept, as under `npm start`: it halves what a start costs. */
const COMPILED = join(REPOSITORY, 'node_modules', '.cache', 'compiled');

const METRICS_TIMEOUT_MS = 1_000;

/** One app of the system as a process of its own, started as the supervisor starts it. */
export interface AppProcess {
  name: string;
  pid: number;
  /** Where it answers `/readyz` and `/metrics`. */
  url: string;
  ready(): Promise<void>;
  /** Resolves when the process has ended, whoever ended it. */
  ended: Promise<{ exitCode: number | undefined; signal: string | undefined }>;
  /** Sends a signal that does not end the process, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal; resolves when the process has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<{ exitCode: number | undefined }>;
  log(): string;
}

/** Starts it with these settings and no others, on this port or a free one; `ready` awaits that it is. */
export async function startApp(name: string, env: Record<string, string>, givenPort?: number): Promise<AppProcess> {
  const port = givenPort ?? (await getPort());
  const main = join(REPOSITORY, 'apps', name, 'src', 'main.ts');
  const child = execa(process.execPath, [main], {
    env: { ...env, NODE_COMPILE_CACHE: COMPILED, HEALTH_PORT: String(port), PORT: String(port) },
    extendEnv: false,
    reject: false,
    all: true,
    cleanup: true,
    // `end` has a limit of its own; by default what was told to stop would be killed after 5 s.
    forceKillAfterDelay: false,
  });
  let ended = false;
  void child.then(() => {
    ended = true;
    watchForSecrets(`log of ${name}`, output);
  });
  let output = '';
  child.all.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const url = `http://127.0.0.1:${port}`;
  /** An app that is frozen, or has ended, has none to show. */
  async function lookAtMetrics(): Promise<void> {
    const signal = AbortSignal.timeout(METRICS_TIMEOUT_MS);
    const answer = await fetch(`${url}/metrics`, { signal }).catch(() => undefined);
    watchForSecrets(`metrics of ${name}`, (await answer?.text().catch(() => '')) ?? '');
  }
  return {
    name,
    pid: child.pid ?? 0,
    url,
    log: () => output,
    ended: child.then(({ exitCode, signal }) => ({ exitCode, signal })),
    async ready() {
      const deadline = Date.now() + 60_000;
      while (
        !(await fetch(`${url}/readyz`).then(
          (answer) => answer.ok,
          () => false,
        ))
      ) {
        if (ended || Date.now() > deadline) throw new Error(`${name} did not become ready:\n${output}`);
        await sleep(50);
      }
    },
    signal: (signal) => void child.kill(signal),
    async end(signal) {
      if (signal === 'SIGTERM') await lookAtMetrics();
      child.kill(signal);
      const hard = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const { exitCode } = await child;
      clearTimeout(hard);
      return { exitCode };
    },
  };
}
