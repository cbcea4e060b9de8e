import { SingleBar } from 'cli-progress';
import pc from 'picocolors';

/** Tells the user how a command goes: a line a step, a bar where something is fetched. */
export interface Reporter {
  /** This is as it should be. */
  ok(name: string, detail: string): void;
  /** This is missing or bad, but not in the way. */
  warn(name: string, detail: string): void;
  /** This is missing or bad, and nothing works without it. */
  fail(name: string, detail: string): void;
  /** Something that takes a while begins. */
  begin(name: string, detail: string): void;
  /** The progress of a download, in bytes. */
  bar(name: string): { update: (done: number, total: number) => void; stop: () => void };
}

const NAME_WIDTH = 24;
const PLAIN_STEP_PERCENT = 25;

/** Writes to the terminal; where there is none, bars become a few plain lines. */
export function createReporter(
  write: (line: string) => void = (line) => console.log(line),
  isTerminal: boolean = process.stdout.isTTY,
): Reporter {
  const line = (mark: string, name: string, detail: string) => write(`${mark} ${name.padEnd(NAME_WIDTH)} ${detail}`);
  return {
    ok: (name, detail) => line(pc.green('✓'), name, detail),
    warn: (name, detail) => line(pc.yellow('!'), name, detail),
    fail: (name, detail) => line(pc.red('✗'), name, detail),
    begin: (name, detail) => line(pc.cyan('…'), name, detail),
    bar: (name) => (isTerminal ? terminalBar(name) : plainBar((detail) => line('…', name, detail))),
  };
}

function terminalBar(name: string): ReturnType<Reporter['bar']> {
  const format = `${pc.cyan('↓')} ${name.padEnd(NAME_WIDTH)} {bar} {percentage} % of {size} MB`;
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, barsize: 30 });
  let started = false;
  return {
    update(done, total) {
      const payload = { size: megabytes(total) };
      if (started) bar.update(done, payload);
      else bar.start(total, done, payload);
      started = true;
      bar.setTotal(total);
    },
    stop: () => bar.stop(),
  };
}

function plainBar(write: (detail: string) => void): ReturnType<Reporter['bar']> {
  let nextPercent = 0;
  return {
    update(done, total) {
      const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
      if (percent < nextPercent) return;
      write(`${percent} % of ${megabytes(total)} MB`);
      nextPercent = percent - (percent % PLAIN_STEP_PERCENT) + PLAIN_STEP_PERCENT;
    },
    stop() {},
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0);
}
