import type { Logger } from '@aigolos/runtime';

export interface ProgressOptions {
  /** Pause between two looks. */
  lookEveryMs: number;
  /** Are there places free, and ids that wait for one? Fails where that cannot be told. */
  isWantingWork: () => Promise<boolean>;
  /** Begins anew with what takes the ids. */
  recreate: () => void;
  /** That did not help. */
  giveUp: () => void;
  log: Logger;
}

export interface Progress {
  /** An id was taken. */
  taken(): void;
  /** Ids have waited for a free place for longer than they should, and none was taken. */
  isStuck(): boolean;
  stop(): void;
}

/** So many looks in a row find ids that wait and nothing taken, until something is done about it. */
const LOOKS_UNTIL_STUCK = 6;

/**
 * Whether a worker lives is seen by what it does: one that answers a ping may still take nothing for ever, as over a connection
 * that nobody has closed. Looks are counted, not time: a process that was stopped for a while has not been idle.
 */
export function watchProgress({ lookEveryMs, isWantingWork, recreate, giveUp, log }: ProgressOptions): Progress {
  let idleLooks = 0;
  let recreated = false;
  let stopped = false;
  let looking = false;

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    // A queue that cannot be asked is away, which is nothing that a new worker helps against.
    const wanting = await isWantingWork().catch(() => false);
    looking = false;
    idleLooks = wanting ? idleLooks + 1 : 0;
    if (idleLooks < LOOKS_UNTIL_STUCK || stopped) return;
    idleLooks = 0;
    if (recreated) {
      log.fatal('ids wait, and a new queue worker takes none of them either');
      return giveUp();
    }
    log.error('ids wait, and the queue worker takes none of them; it is made anew');
    recreated = true;
    recreate();
  }

  const timer = setInterval(() => void look(), lookEveryMs).unref();
  return {
    taken() {
      idleLooks = 0;
      recreated = false;
    },
    isStuck: () => recreated,
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
