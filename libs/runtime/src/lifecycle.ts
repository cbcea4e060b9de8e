import { AIGolosError } from '@aigolos/contracts';
import closeWithGrace from 'close-with-grace';
import type { Logger } from './logger.ts';

/** Something that runs until it is stopped. `stop` is safe to call twice. */
export interface App {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The life of a process: starts the app, stops it on SIGTERM, SIGINT or an uncaught error, and exits.
 * A process that a supervisor started with an IPC channel also stops when that supervisor is gone.
 */
export async function runApp(app: App, options: { log: Logger; graceMs: number }): Promise<void> {
  const { log, graceMs } = options;
  const closing = closeWithGrace({ delay: graceMs, logger: false }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'uncaught error, stopping');
    else log.info({ signal }, 'stopping');
    await app.stop();
  });
  if (process.connected) process.once('disconnect', () => closing.close());
  try {
    await app.start();
  } catch (error) {
    log.fatal(
      error instanceof AIGolosError ? { code: error.code } : { err: error },
      `cannot start: ${messageOf(error)}`,
    );
    await app.stop().catch(() => {});
    process.exit(1);
  }
}

export interface Closer {
  add(close: () => Promise<unknown>): void;
  closeAll(): Promise<void>;
}

/** Closes in the reverse order of opening, each once, and goes on when one of them fails. */
export function createCloser(): Closer {
  const closers: (() => Promise<unknown>)[] = [];
  return {
    add: (close) => void closers.push(close),
    async closeAll() {
      const errors: unknown[] = [];
      for (let close = closers.pop(); close; close = closers.pop()) {
        await close().catch((error: unknown) => errors.push(error));
      }
      if (errors.length > 0) throw new AggregateError(errors, 'could not close everything');
    },
  };
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
