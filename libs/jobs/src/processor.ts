import type { FinalStatus, JobFailure, JobKind, JobStep, JobUsage, ResultOf, SteppedKind } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Logger } from '@aigolos/runtime';

/** What a processor gets. It reads, calls an engine with the signal, and returns; everything else is done for it. */
export interface JobContext<Kind extends JobKind> {
  job: JobRecord<Kind>;
  /** Aborts on cancel, on drain, at the deadline, when the attempt takes too long, and when somebody else owns the job by now. */
  signal: AbortSignal;
  log: Logger;
  /** From 0 to 1; kept in the record at the next renewal. */
  reportProgress(fraction: number): void;
  /**
   * What a later attempt, which finds it in `job.checkpoint`, need not do again; in the record within about a second, of which
   * those who watch are told.
   */
  checkpoint(value: unknown): void;
  /** As `checkpoint`, and resolves when the record holds it. @throws the signal's reason where the attempt is stopped before. */
  checkpointNow(value: unknown): Promise<void>;
  /** A piece of the text that is its result, for those who watch; each attempt tells all of it, from its beginning. */
  emitDelta(text: string): void;
}

export interface Processed<Kind extends JobKind> {
  result: ResultOf[Kind];
  usage: JobUsage;
  warnings: string[];
  /**
   * How the job ends, with this as its result: `incomplete` where a limit ended it before it was done, another state where what
   * came of it until then is kept. Completed unless it says so.
   */
  status?: FinalStatus;
  /** Why it failed. */
  failure?: JobFailure;
}

/** A step is done, and the job goes on to the queue of its next one. */
export interface HandedOver {
  step: JobStep;
  /** What the next step goes on from. */
  checkpoint: unknown;
  /** How far all of the job is, from 0 to 1. */
  progress: number;
}

/** Does the work of one job, or one step of it. It may be run twice for the same job. */
export type Processor<Kind extends JobKind> = (
  context: JobContext<Kind>,
) => Promise<Processed<Kind> | (Kind extends SteppedKind ? HandedOver : never)>;

/** The work of the kinds that share a queue: exactly one processor each. */
export type Processors<Kinds extends JobKind> = { [Kind in Kinds]: Processor<Kind> };
