import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import type { Level, LogLine } from './log-line.ts';
import { type ProcessIdentity, signalGroup, signalProcess } from './process-identity.ts';
import { type ProcessSpec, type RunResult, runProcess } from './run-process.ts';

export interface ManagedProcess {
  readonly name: string;
  /** What runs now, if it runs. */
  readonly identity: ProcessIdentity | undefined;
  /**
   * Starts it and resolves when it is healthy; from then on it is started again whenever it ends.
   * @throws CliError where it ends again and again, or hangs, before it was ever healthy.
   */
  start(): Promise<void>;
  /** Stops it for good, with all that it started. Safe to call twice. */
  stop(): Promise<void>;
}

export interface SupervisionOptions {
  onLine: (line: LogLine) => void;
  /** Told when it has been started, and when it has been started again. */
  onStarted: () => void;
  /** Wait before the first restart; doubled with each that follows. */
  restartBaseMs?: number;
  restartMaxMs?: number;
  /** Healthy for so long, and the next restart is a first one. */
  healthyMs?: number;
  startTimeoutMs?: number;
}

const MAX_FAILED_STARTS = 3;

/** Keeps one process running. */
export function superviseProcess(spec: ProcessSpec, options: SupervisionOptions): ManagedProcess {
  const { restartBaseMs = 500, restartMaxMs = 30_000, healthyMs = 60_000, startTimeoutMs = 120_000 } = options;
  const { name } = spec;
  const stopping = new AbortController();
  const healthy = Promise.withResolvers<void>();
  let identity: ProcessIdentity | undefined;
  let everHealthy = false;
  let loop: Promise<void> | undefined;

  const say = (level: Level, text: string) => options.onLine({ time: new Date(), name, level, text });
  const runOnce = (): Promise<RunResult> =>
    runProcess(spec, {
      onLine: options.onLine,
      onStarted(started) {
        identity = started;
        options.onStarted();
      },
      onHealthy() {
        if (everHealthy) say('info', 'is back');
        everHealthy = true;
        healthy.resolve();
      },
    });
  const keepRunning = async () => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      const { how, trouble, healthyForMs } = await runOnce();
      identity = undefined;
      if (stopping.signal.aborted) return;
      failures = healthyForMs >= healthyMs ? 1 : failures + 1;
      if (!everHealthy && failures >= MAX_FAILED_STARTS) {
        return healthy.reject(new CliError(`${name} does not start (it ended with ${how}): ${trouble}`));
      }
      const waitMs = Math.min(restartMaxMs, restartBaseMs * 2 ** (failures - 1));
      say('warn', `ended (${how}); starting again in ${waitMs / 1_000} s`);
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };

  return {
    name,
    get identity() {
      return identity;
    },
    async start() {
      const timer = setTimeout(() => {
        healthy.reject(new CliError(`${name} is not ready after ${startTimeoutMs / 1_000} s; the log may say why.`));
      }, startTimeoutMs);
      loop = keepRunning();
      await healthy.promise.finally(() => clearTimeout(timer));
    },
    async stop() {
      stopping.abort();
      healthy.promise.catch(() => {});
      healthy.reject(new CliError(`${name} was stopped before it was ready.`));
      const pid = identity?.pid;
      if (pid === undefined) return loop;
      signalProcess(pid, 'SIGTERM');
      const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), spec.graceMs);
      await loop;
      clearTimeout(timer);
    },
  };
}
