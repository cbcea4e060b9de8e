import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs a task again and again, `intervalMs` after each end, never twice at once. `stop` aborts the wait and awaits a running task.
 * An error goes to `onError` and does not end the series.
 */
export function startPeriodic(options: {
  intervalMs: number;
  run: (signal: AbortSignal) => Promise<void>;
  onError: (error: unknown) => void;
}): { stop: () => Promise<void> } {
  const stopping = new AbortController();
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await options.run(stopping.signal).catch((error: unknown) => {
        if (!stopping.signal.aborted) options.onError(error);
      });
      await sleep(options.intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
