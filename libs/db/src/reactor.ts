import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@aigolos/runtime';
import { type Change, concerns, type Reaction } from './changes.ts';
import { isDatabaseUnavailable } from './errors.ts';

/** Is told what became of changes. */
export interface ReactionObserver {
  onEffect(reaction: Reaction, change: Change): void;
  /** A reaction failed; it is tried again, or left to the sweep. */
  onFailure(reaction: Reaction, change: Change, failure: { error: unknown; givenUp: boolean }): void;
}

/** About 15 seconds in all. */
const ATTEMPTS = 10;
const BACKOFF = { baseMs: 100, maxMs: 5_000 };
/** So many records are reacted to at a time. */
export const AT_ONCE = 32;

/**
 * Carries out what a change sets in motion, each reaction by itself, so many at once. One that fails is tried again, as
 * going on without it would lose its effect, and left to the sweep in the end, as it would hold up all others. The result rejects
 * only where the signal came before the end.
 */
export function createReactor(
  reactions: readonly Reaction[],
  observer: ReactionObserver,
  signal: AbortSignal,
): (change: Change) => Promise<void> {
  const inSlot = createSlots(AT_ONCE);

  async function carryOut(reaction: Reaction, change: Change): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        await inSlot(() => reaction.react(change, signal));
        return observer.onEffect(reaction, change);
      } catch (error) {
        signal.throwIfAborted();
        // While the database is away nothing is given up: no sweep could make up for it, and no new changes come in.
        const givenUp = attempt + 1 >= ATTEMPTS && !isDatabaseUnavailable(error);
        observer.onFailure(reaction, change, { error, givenUp });
        if (givenUp) return;
        await sleep(backoffMs(attempt, BACKOFF), undefined, { signal });
      }
    }
  }

  return async (change) => {
    await Promise.all(
      reactions.filter((reaction) => concerns(reaction, change)).map((reaction) => carryOut(reaction, change)),
    );
  };
}

/** Lets so many run at once; the others wait for their turn. */
function createSlots(count: number): (work: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
