import { constants } from 'node:os';

/** Ctrl-C pressed again after so long means: do not wait. One press can arrive twice, from the terminal and from npm. */
const SECOND_PRESS_AFTER_MS = 1_000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Ctrl-C, a request to end, or a reader of the output that has left: what is under way is brought to an end. */
export interface Interruption {
  signal: AbortSignal;
  /** What shells expect of a process that was interrupted. */
  readonly exitCode: number;
  /** Ctrl-C ends the process again. */
  stop(): void;
}

export function interruption(): Interruption {
  const stopping = new AbortController();
  let interruptedAt = 0;
  let exitCode = 0;
  const end = (name: (typeof SIGNALS)[number] | 'SIGPIPE') => {
    if (stopping.signal.aborted) {
      if (name !== 'SIGPIPE' && Date.now() - interruptedAt > SECOND_PRESS_AFTER_MS) process.exit(exitCode);
      return;
    }
    interruptedAt = Date.now();
    exitCode = 128 + constants.signals[name];
    stopping.abort();
  };
  for (const name of SIGNALS) process.on(name, end);
  process.stdout.on('error', () => end('SIGPIPE'));
  return {
    signal: stopping.signal,
    get exitCode() {
      return exitCode;
    },
    stop() {
      for (const name of SIGNALS) process.off(name, end);
    },
  };
}
