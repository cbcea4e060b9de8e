import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { JobStatus } from '@aigolos/contracts';
import type { FaultName } from './faults/schedule.ts';

/** What the client saw of a job at one moment. */
export interface SeenJob {
  job: string;
  status: JobStatus;
  finishedAt: number | null;
  /** As JSON, so that two can be compared. */
  usage: string;
}

/** One line of the journal, without its time. */
export type Entry =
  | { type: 'sent'; op: string; attempt: number }
  /** The submission is promised from here on. */
  | { type: 'acknowledged'; op: string; job: string; http: number; ms: number; conversation?: string }
  /** No answer came, so the job may or may not exist. */
  | { type: 'unknown'; op: string; error: string; ms: number }
  /** The gateway said no. */
  | { type: 'refused'; op: string; http: number; code: string; ms: number }
  /** `askedAt`: when the question was sent; answers to questions that were under way together come in any order. */
  | ({ type: 'seen'; op: string; askedAt: number } & SeenJob)
  /** A result as the client got it. */
  | { type: 'result'; op: string; job: string; sha256: string; begin: string }
  | { type: 'cancel_sent'; op: string; job: string }
  | { type: 'cancel_acknowledged'; op: string; job: string; status: JobStatus }
  /** From here on the job may be gone, whatever is answered. */
  | { type: 'delete_sent'; op: string; job: string }
  | { type: 'deleted'; op: string; job: string }
  | { type: 'gone'; op: string; job: string }
  | { type: 'webhook'; id: string; event: string; job: string; body: string; answered: string }
  | { type: 'fault'; fault: string; name: FaultName; phase: 'begin' | 'end'; detail: string }
  | { type: 'app_started'; app: string; pid: number }
  | { type: 'app_ended'; app: string; pid: number; how: string; wanted: boolean };

/** `at`: milliseconds since 1970. */
export type Line = Entry & { at: number };

/** Everything that happened, in order; the invariants are checked from it. */
export interface Journal {
  write(entry: Entry): void;
  readonly lines: readonly Line[];
  of<Type extends Entry['type']>(type: Type): (Extract<Entry, { type: Type }> & { at: number })[];
  close(): Promise<void>;
}

/** Keeps the lines, and appends them to a file (JSON lines) where one is named. */
export function createJournal(file?: string): Journal {
  const lines: Line[] = [];
  const stream = file === undefined ? undefined : createWriteStream(file);
  return {
    lines,
    write(entry) {
      const line = { at: Date.now(), ...entry };
      lines.push(line);
      stream?.write(`${JSON.stringify(line)}\n`);
    },
    of: <Type extends Entry['type']>(type: Type) =>
      lines.filter((line): line is Extract<Entry, { type: Type }> & { at: number } => line.type === type),
    async close() {
      if (!stream) return;
      stream.end();
      await once(stream, 'finish');
    },
  };
}
