import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A program of this folder in a process of its own. */
export interface Program<Ready> {
  /** What it said when it was ready. */
  ready: Ready;
  /** Milliseconds of processor time that it has used so far: what else the machine does hardly changes what a request takes of it. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a program that calls {@link isReady}. @throws where it ends before. */
export async function startProgram<Ready>(file: string, args: string[]): Promise<Program<Ready>> {
  const child = fork(join(import.meta.dirname, file), args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const early = ended.then(() => Promise.reject(new Error(`${file} ${args[0]} has ended`)));
  early.catch(() => {});
  const told = async <T>() => {
    const [message] = (await Promise.race([once(child, 'message'), early])) as [T];
    return message;
  };
  return {
    ready: await told<Ready>(),
    async cpuMs() {
      const answer = told<number>();
      child.send('cpu');
      return answer;
    },
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/**
 * For the program itself: says that it is ready, how much processor time it has used when it is asked, and ends when it is told to, or
 * when who has started it is gone.
 */
export function isReady(ready: unknown, stop: () => Promise<unknown>): void {
  process.on('message', () => process.send?.(cpuMs()));
  process.once('disconnect', () => void stop());
  process.once('SIGTERM', () => process.disconnect?.());
  process.send?.(ready);
}

const cpuMs = () => Object.values(process.cpuUsage()).reduce((sum, microseconds) => sum + microseconds, 0) / 1_000;
