import { SingleBar } from 'cli-progress';

/** Lines on stdout, one an item, and beside them a bar on stderr where that is a terminal. */
export interface ItemProgress {
  /** Counts what is to come, for the bar alone. */
  start(): Promise<void>;
  /** One more item. */
  print(line: string): void;
  /** Harmless twice. */
  stop(): void;
}

export function createItemProgress(count: () => Promise<number>): ItemProgress {
  const { stdout, stderr } = process;
  const bar = stderr.isTTY
    ? new SingleBar({ format: '{bar} {value} of {total}', hideCursor: true, clearOnComplete: true, barsize: 30 })
    : undefined;
  let done = 0;
  return {
    async start() {
      bar?.start(await count(), 0);
    },
    print(line) {
      // The bar stands on the line that this one would be written to.
      if (bar && stdout.isTTY) {
        stderr.cursorTo(0);
        stderr.clearLine(0);
      }
      stdout.write(`${line}\n`);
      done += 1;
      bar?.update(done);
    },
    stop: () => bar?.stop(),
  };
}
