import { SingleBar } from 'cli-progress';
import pc from 'picocolors';

/** How far a job is, on a terminal. */
export interface JobBar {
  /** What an event said. */
  update(data: unknown): void;
  stop(): void;
}

const NAME_WIDTH = 24;

/** Undefined where there is no terminal, or the output is for machines. */
export function jobBar(name: string, { json }: { json: true | undefined }): JobBar | undefined {
  if (json || !process.stderr.isTTY) return undefined;
  const format = `${pc.cyan('…')} ${name.padEnd(NAME_WIDTH)} {bar} {percentage} % {status}`;
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, barsize: 30 });
  bar.start(1, 0, { status: '' });
  return {
    update(data) {
      const { progress, status, queue_position: before } = (data ?? {}) as Record<string, unknown>;
      const waits = typeof before === 'number' ? `, ${before} before it` : '';
      const payload = typeof status === 'string' ? { status: `${status}${waits}` } : {};
      if (typeof progress === 'number') bar.update(progress, payload);
      else bar.update(payload);
    },
    stop: () => bar.stop(),
  };
}
