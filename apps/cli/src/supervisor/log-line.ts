import pc from 'picocolors';
import { z } from 'zod';

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** What a process said, as the supervisor keeps it. */
export interface LogLine {
  time: Date;
  /** The process. */
  name: string;
  level: Level;
  text: string;
}

/** The JSON lines that our apps write. */
const AppLineSchema = z.looseObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
  msg: z.string().default(''),
  err: z.looseObject({ message: z.string(), stack: z.string().optional() }).optional(),
});

const NAME_WIDTH = 18;
/** Said by the place of the line already. */
const LEFT_OUT = new Set(['level', 'time', 'service', 'msg', 'err', 'pid', 'hostname', 'v']);

/** A line of a process: one of our apps' JSON lines, or anything else as it stands. */
export function parseLine(name: string, line: string, level: Level): LogLine {
  const time = new Date();
  const parsed = line.startsWith('{') ? AppLineSchema.safeParse(parseJson(line)) : undefined;
  if (!parsed?.success) return { time, name, level, text: line };
  const { msg, err, ...rest } = parsed.data;
  const details = Object.entries(rest)
    .filter(([key]) => !LEFT_OUT.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const trouble = err ? [err.stack ?? err.message] : [];
  return { time, name, level: parsed.data.level, text: [msg, ...details, ...trouble].join(' ') };
}

/** For the terminal: `12:00:01 gateway  listening …`. */
export function formatLine({ time, name, level, text }: LogLine): string {
  const clock = time.toTimeString().slice(0, 8);
  return `${pc.dim(clock)} ${pc.cyan(name.padEnd(NAME_WIDTH))} ${colour(level)(text)}`;
}

/** For the log file: the same with the date and the level, without colours. */
export function formatFileLine({ time, name, level, text }: LogLine): string {
  return `${time.toISOString()} ${name.padEnd(NAME_WIDTH)} ${level.padEnd(5)} ${text}`;
}

function colour(level: Level): (text: string) => string {
  if (level === 'fatal' || level === 'error') return pc.red;
  return level === 'warn' ? pc.yellow : (text) => text;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
