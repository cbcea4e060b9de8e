import { AIGolosError, JOB_CATALOGUE, type JobKind } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { messageOf } from '@aigolos/runtime';
import type { JobsDeps } from './deps.ts';
import type { Processed, Processor } from './processor.ts';

/** Why a running attempt was stopped from outside. */
export type StopCause = 'cancelled' | 'drained' | 'lost' | 'timed_out';

class AttemptStopped extends Error {
  readonly stopCause: StopCause;
  constructor(stopCause: StopCause) {
    super(`the attempt was stopped: ${stopCause}`);
    this.stopCause = stopCause;
  }
}

export type AttemptOutcome<Kind extends JobKind> =
  | { type: 'processed'; output: Processed<Kind> }
  | { type: 'stopped'; cause: StopCause; checkpoint: unknown }
  | { type: 'failed'; error: unknown; checkpoint: unknown };

/** One claim of a job, being worked on. */
export interface Attempt<Kind extends JobKind> {
  stop(cause: StopCause): void;
  outcome: Promise<AttemptOutcome<Kind>>;
}

/**
 * Runs the processor under a lease that is renewed meanwhile. Renewals carry progress and checkpoint out and the wish to
 * cancel in. A renewal that cannot reach the database is tried again: the work goes on, and the fence decides at its end.
 */
export function startAttempt<Kind extends JobKind>(options: {
  job: JobRecord<Kind>;
  process: Processor<Kind>;
  deps: Pick<JobsDeps, 'db' | 'live' | 'log'>;
  leaseMs: number;
  renewMs: number;
}): Attempt<Kind> {
  const { job, process, leaseMs, renewMs } = options;
  const { db, live } = options.deps;
  const log = options.deps.log.child({ jobId: job._id, fence: job.fence });
  const stopping = new AbortController();
  const stop = (cause: StopCause) => stopping.abort(new AttemptStopped(cause));
  let progress = job.progress;
  let checkpoint: unknown;

  const renew = async () => {
    const news = { leaseMs, progress, ...(checkpoint !== undefined && { checkpoint }) };
    const answer = await db.jobs.renew(job._id, job.fence, news).catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, 'the lease could not be renewed, trying again');
      return 'held';
    });
    if (answer === 'lost') stop('lost');
    if (answer === 'cancel_requested') stop('cancelled');
  };
  const renewals = setInterval(() => void renew(), renewMs);
  const timeout = setTimeout(() => stop('timed_out'), JOB_CATALOGUE[job.kind].attemptTimeoutMs);

  const context = {
    job,
    signal: stopping.signal,
    log,
    reportProgress: (fraction: number) => {
      progress = Math.min(1, Math.max(0, fraction));
    },
    checkpoint: (value: unknown) => {
      checkpoint = value;
    },
    emitDelta: (text: string) => void live.publish(job._id, { type: 'delta', fence: job.fence, text }),
  };
  const outcome = process(context)
    .then(
      (output): AttemptOutcome<Kind> => ({ type: 'processed', output }),
      (error: unknown): AttemptOutcome<Kind> => {
        const reason: unknown = stopping.signal.reason;
        return reason instanceof AttemptStopped
          ? { type: 'stopped', cause: reason.stopCause, checkpoint }
          : { type: 'failed', error, checkpoint };
      },
    )
    .finally(() => {
      clearInterval(renewals);
      clearTimeout(timeout);
    });
  return { stop, outcome };
}

/** The error of an attempt that took longer than its kind may. */
export function attemptTimedOut(kind: JobKind): AIGolosError {
  const { attemptTimeoutMs, timeoutCode: code } = JOB_CATALOGUE[kind];
  return new AIGolosError(`The attempt took longer than ${attemptTimeoutMs / 1_000} s.`, { code, retryable: true });
}
