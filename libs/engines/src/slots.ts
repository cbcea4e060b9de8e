/** Things that are lent to one borrower at a time, such as the sequences of a context. */
export interface Slots<T> {
  /**
   * Lends the free one that `rank` puts first (the highest number), else waits for its turn: first come, first served.
   * @throws `signal.reason` when that is aborted while waiting.
   */
  acquire(signal: AbortSignal, rank?: (slot: T) => number): Promise<T>;
  release(slot: T): void;
}

export function createSlots<T>(all: readonly T[]): Slots<T> {
  const free = [...all];
  const waiting = new Set<(slot: T) => void>();
  return {
    async acquire(signal, rank = () => 0) {
      signal.throwIfAborted();
      const ranked = free.toSorted((a, b) => rank(b) - rank(a));
      const best = ranked[0];
      if (best !== undefined) {
        free.splice(free.indexOf(best), 1);
        return best;
      }
      return waitForTurn(waiting, signal);
    },
    release(slot) {
      const [next] = waiting;
      if (next === undefined) {
        free.push(slot);
        return;
      }
      waiting.delete(next);
      next(slot);
    },
  };
}

async function waitForTurn<T>(waiting: Set<(slot: T) => void>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = () => {
    // Once a slot was handed over, the abort is the borrower's to notice: it must give that slot back.
    if (waiting.delete(resolve)) reject(signal.reason as Error);
  };
  waiting.add(resolve);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
