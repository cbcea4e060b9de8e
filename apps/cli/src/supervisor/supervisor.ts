import type { CliConfig } from '../config.ts';
import { openLogFile } from './log-file.ts';
import { formatFileLine, type LogLine } from './log-line.ts';
import { type ManagedProcess, superviseProcess } from './managed-process.ts';
import type { ProcessSpec } from './run-process.ts';
import { releaseHome, type StackState, writeStackState } from './stack-state.ts';

/** Servers stop after the apps that use them, and what they say goes to the log file only. */
export type ProcessRole = 'server' | 'app';

export interface Supervisor {
  /** Starts processes side by side and resolves when all are healthy. @throws CliError */
  start(role: ProcessRole, specs: (ProcessSpec & { healthUrl?: string })[]): Promise<void>;
  /** Writes down what other commands may know. */
  publish(changes: Partial<Omit<StackState, 'processes' | 'startedAt'>>): void;
  /** Stops everything in order. Safe to call twice; nothing can be started afterwards. */
  stop(): Promise<void>;
}

/** Keeps the processes of a stack running, and a list of them in the data folder. */
export function createSupervisor({ paths }: CliConfig, onLine: (line: LogLine) => void): Supervisor {
  const processes: { role: ProcessRole; managed: ManagedProcess; healthUrl: string | undefined }[] = [];
  let state: Omit<StackState, 'processes'> = {
    redisUrl: '',
    mongoUrl: '',
    settings: {},
    startedAt: new Date().toISOString(),
  };
  let stopped: Promise<void> | undefined;
  const writeToFile = openLogFile(paths.logFile);

  const write = () => {
    const running = processes.flatMap(({ managed: { name, identity }, healthUrl }) => {
      return identity ? [{ name, identity, healthUrl }] : [];
    });
    writeStackState(paths.home, { ...state, processes: running });
  };
  const stopRole = async (role: ProcessRole) => {
    await Promise.all(processes.filter((entry) => entry.role === role).map(({ managed }) => managed.stop()));
  };
  const stopAll = async () => {
    await stopRole('app');
    await stopRole('server');
    releaseHome(paths.home);
  };

  return {
    async start(role, specs) {
      if (stopped) throw new Error('the stack is stopping');
      const started = specs.map((spec) => {
        const hear = (line: LogLine) => {
          writeToFile(formatFileLine(line));
          if (role === 'app' || line.level === 'warn') onLine(line);
        };
        const managed = superviseProcess(spec, { onLine: hear, onStarted: write });
        processes.push({ role, managed, healthUrl: spec.healthUrl });
        return managed.start();
      });
      await Promise.all(started);
    },
    publish(changes) {
      state = { ...state, ...changes };
      write();
    },
    stop: () => (stopped ??= stopAll()),
  };
}
