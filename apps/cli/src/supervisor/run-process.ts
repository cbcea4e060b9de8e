import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { type Level, type LogLine, parseLine } from './log-line.ts';
import { type ProcessIdentity, signalGroup } from './process-identity.ts';

export interface ProcessSpec {
  name: string;
  command: string;
  args: string[];
  /** All of it: nothing is inherited. */
  env: Record<string, string>;
  /** Gives it a channel whose end tells it that the supervisor is gone. */
  ipc: boolean;
  /** What its command line has while it runs; see `ProcessIdentity`. */
  marks: string[];
  /** How long it may take to stop before it is killed. */
  graceMs: number;
  /** Asked again and again after each start until it says yes. */
  isHealthy: () => Promise<boolean>;
}

export interface RunEvents {
  onStarted: (identity: ProcessIdentity) => void;
  onHealthy: () => void;
  onLine: (line: LogLine) => void;
}

export interface RunResult {
  /** A signal, an exit code or why it could not be started. */
  how: string;
  /** What it complained of last. */
  trouble: string;
  healthyForMs: number;
}

const HEALTH_POLL_MS = 100;

/** Runs a process from start to end. Whatever it started itself ends with it. */
export async function runProcess(spec: ProcessSpec, events: RunEvents): Promise<RunResult> {
  const child = execa(spec.command, spec.args, {
    env: spec.env,
    extendEnv: false,
    ipc: spec.ipc,
    stdin: 'ignore',
    buffer: false,
    reject: false,
    // A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops things in order.
    detached: true,
    cleanup: false,
  });
  // Not when its pipes end: what it started may hold them open.
  const exit = new Promise<string>((resolve) => {
    child.nodeChildProcess.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    child.nodeChildProcess.once('error', (error) => resolve(error.message));
  });
  let trouble = '';
  const hear = (stream: NodeJS.ReadableStream, isTrouble: (level: Level) => boolean) => {
    createInterface({ input: stream }).on('line', (text) => {
      const line = parseLine(spec.name, text, 'info');
      if (isTrouble(line.level)) trouble = line.text;
      events.onLine(line);
    });
  };
  hear(child.stdout, (level) => level === 'error' || level === 'fatal');
  // Many programs write everything there.
  hear(child.stderr, () => true);

  const { pid } = child;
  if (pid !== undefined) events.onStarted({ pid, marks: spec.marks });
  const ended = new AbortController();
  let healthySince: number | undefined;
  void untilHealthy(spec, ended.signal).then((isHealthy) => {
    if (!isHealthy) return;
    healthySince = Date.now();
    events.onHealthy();
  });

  const how = await exit;
  ended.abort();
  if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  // Its last words may still be in the pipes.
  await child;
  return { how, trouble: trouble || how, healthyForMs: healthySince ? Date.now() - healthySince : 0 };
}

async function untilHealthy({ isHealthy }: ProcessSpec, ended: AbortSignal): Promise<boolean> {
  while (!ended.aborted) {
    if (await isHealthy().catch(() => false)) return !ended.aborted;
    await sleep(HEALTH_POLL_MS, undefined, { signal: ended }).catch(() => {});
  }
  return false;
}
