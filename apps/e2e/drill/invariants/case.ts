import type { AnyJobRecord } from '@aigolos/db';
import type { Evidence } from '../evidence.ts';
import type { Journal } from '../journal.ts';
import type { Operation } from '../load/operations.ts';

/** Everything that is judged. */
export interface Case {
  operations: Map<string, Operation>;
  journal: Journal;
  evidence: Evidence;
}

/** A promise that was not kept. */
export interface Violation {
  rule: string;
  /** The job or the operation that it is about; its lines in the journal are its history. */
  about: string;
  what: string;
}

export type Rule = (given: Case) => Violation[] | Promise<Violation[]>;

/** The operation that a job came from, by what stands in its content. */
function operationOf(job: AnyJobRecord, operations: Map<string, Operation>): Operation | undefined {
  const text = contentOf(job);
  return operations.get(text.split(':', 1)[0] ?? '');
}

function contentOf({ kind, task, metadata }: AnyJobRecord): string {
  switch (kind) {
    case 'transcription':
    case 'translation':
      return task.prompt ?? '';
    case 'speech':
      return task.input;
    case 'chat':
    case 'response':
      return task.messages.at(-1)?.content ?? '';
    case 'voice-turn':
      return task.instructions ?? '';
    case 'batch':
      return metadata['operation'] ?? '';
    case 'export':
    case 'erasure':
      return '';
  }
}

/** Jobs of the load; erasures, by which jobs are deleted, are jobs too. */
export function* jobsOfLoad({ evidence, operations }: Case): Generator<{ job: AnyJobRecord; operation: Operation }> {
  for (const job of evidence.jobs.values()) {
    const operation = operationOf(job, operations);
    if (operation) yield { job, operation };
  }
}

/** Jobs whose owner asked for their deletion. */
export function deletedJobs({ journal }: Case): Set<string> {
  return new Set(journal.of('delete_sent').map(({ job }) => job));
}

/** Faults and the time in which each was under way. */
export function faultTimes({ journal }: Case): { name: string; begin: number; end: number }[] {
  const ends = new Map(
    journal
      .of('fault')
      .filter(({ phase }) => phase === 'end')
      .map(({ fault, at }) => [fault, at]),
  );
  return journal
    .of('fault')
    .filter(({ phase }) => phase === 'begin')
    .map(({ fault, name, at }) => ({ name, begin: at, end: ends.get(fault) ?? Number.POSITIVE_INFINITY }));
}
