import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** A server process that a test owns. */
export interface ServerProcess {
  port: number;
  pid: number;
  /** Sends a signal and awaits the end of the process. */
  kill(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Sends a signal that does not end the process, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void;
}

/** Starts a server and awaits that its port accepts connections. It ends with the test process, whatever ends that. */
export async function startServerProcess(command: string, args: string[], port: number): Promise<ServerProcess> {
  const child = execa(command, args, {
    reject: false,
    cleanup: true,
    all: true,
    buffer: { all: true },
    maxBuffer: 1_000_000,
  });
  const ended = child.then((result) => result);
  const exit = ended.then(({ all, exitCode, shortMessage }) => {
    throw new Error(`${command} ended (${exitCode ?? shortMessage}): ${(all ?? '').slice(-2_000)}`);
  });
  exit.catch(() => {});
  await Promise.race([waitForPort(port), exit]);
  return {
    port,
    pid: child.pid ?? 0,
    async kill(signal = 'SIGTERM') {
      child.kill(signal);
      const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(hard);
    },
    signal: (signal) => void child.kill(signal),
  };
}

async function waitForPort(port: number, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await accepts(port))) {
    if (Date.now() > deadline) throw new Error(`nothing listens on port ${port} after ${timeoutMs} ms`);
    await sleep(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
