import type { JobEvent } from '@aigolos/sdk';
import { SingleBar } from 'cli-progress';
import pc from 'picocolors';

/** How far a job is, on a terminal. */
export interface JobBar {
  /** What has happened. */
  update(event: JobEvent): void;
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
    update(event) {
      const { progress, status } = toldBy(event) ?? {};
      const payload = status === undefined ? {} : { status };
      if (progress === undefined) bar.update(payload);
      else bar.update(progress, payload);
    },
    stop: () => bar.stop(),
  };
}

/** What an event tells of how far its job is: of a voice turn the step that it is at, of one that waits its place. */
export function toldBy(event: JobEvent): { progress: number; status: string } | undefined {
  if (event.type === 'job.delta') return undefined;
  const { progress, status, step } = 'job' in event ? event.job : event;
  const before = 'job' in event ? event.job.queue_position : null;
  const place = before === null ? undefined : `${before} before it`;
  return { progress, status: [status, step, place].filter((part) => part != null).join(', ') };
}
