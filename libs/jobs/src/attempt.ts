import { AIGolosError, type JobAtStep, type JobKind, type JobUsage, termsOf } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { JobsDeps } from './deps.ts';
import type { HandedOver, Processed, Processor } from './processor.ts';
import { startRenewals } from './renewals.ts';

/** Why a running attempt was stopped from outside. */
export type StopCause = 'cancelled' | 'expired' | 'drained' | 'lost' | 'timed_out';

/** Was an attempt stopped because its job was cancelled? Of the signal that its processor has. */
export function isCancelled({ reason }: AbortSignal): boolean {
  return reason instanceof AttemptStopped && reason.stopCause === 'cancelled';
}

class AttemptStopped extends Error {
  readonly stopCause: StopCause;
  constructor(stopCause: StopCause) {
    super(`the attempt was stopped: ${stopCause}`);
    this.stopCause = stopCause;
  }
}

export type AttemptOutcome<Kind extends JobKind> =
  | { type: 'processed'; output: Processed<Kind> }
  | { type: 'handed_over'; next: HandedOver }
  /** `error`: what its processor ended with then. */
  | { type: 'stopped'; cause: StopCause; checkpoint: unknown; usage?: JobUsage; error?: unknown }
  | { type: 'failed'; error: unknown; checkpoint: unknown };

/** One claim of a job, being worked on. */
export interface Attempt<Kind extends JobKind> {
  stop(cause: StopCause): void;
  outcome: Promise<AttemptOutcome<Kind>>;
}

/**
 * Runs the processor under a lease that is renewed meanwhile. Renewals carry progress and checkpoint out and the wish to
 * cancel in.
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
  const stopped = rejectsOnAbort(stopping.signal);
  const renewals = startRenewals({
    job,
    db,
    log,
    leaseMs,
    renewMs,
    onLost: () => stop('lost'),
    onCancelRequested: () => stop('cancelled'),
    onKept: () => void live.publish(job._id, { type: 'checkpoint', fence: job.fence }),
  });
  const limits = [setTimeout(() => stop('timed_out'), termsOf(job).attemptTimeoutMs)];
  if (job.deadlineAt) limits.push(setTimeout(() => stop('expired'), timerMs(job.deadlineAt)));

  let toldUnits = 0;
  const emitDelta = (text: string) => {
    void live.publish(job._id, { type: 'delta', fence: job.fence, text, offset: toldUnits });
    toldUnits += text.length;
  };
  const context = {
    job,
    signal: stopping.signal,
    log,
    reportProgress: renewals.reportProgress,
    checkpoint: renewals.checkpoint,
    checkpointNow: (value: unknown) => Promise.race([renewals.checkpointNow(value), stopped]),
    emitDelta,
  };
  const stopCause = () =>
    stopping.signal.reason instanceof AttemptStopped ? stopping.signal.reason.stopCause : undefined;
  const outcome = process(context)
    .then(
      (output): AttemptOutcome<Kind> =>
        // A result that came too late for its deadline is none.
        stopCause() === 'expired'
          ? { type: 'stopped', cause: 'expired', checkpoint: undefined, usage: usageOf(output) }
          : isHandedOver(output)
            ? { type: 'handed_over', next: output }
            : { type: 'processed', output },
      (error: unknown): AttemptOutcome<Kind> => {
        const cause = stopCause();
        const checkpoint = renewals.newest();
        return cause ? { type: 'stopped', cause, checkpoint, error } : { type: 'failed', error, checkpoint };
      },
    )
    .finally(() => {
      renewals.stop();
      for (const limit of limits) clearTimeout(limit);
    });
  return { stop, outcome };
}

/** Timers count with 31 bits; a deadline that is further off is not reached by an attempt. */
function timerMs(time: Date): number {
  return Math.min(2 ** 31 - 1, Math.max(0, time.getTime() - Date.now()));
}

function rejectsOnAbort(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  return promise;
}

/** The error of an attempt that took longer than its kind, or its step, may. */
export function attemptTimedOut(job: JobAtStep): AIGolosError {
  const { attemptTimeoutMs, timeoutCode: code } = termsOf(job);
  return new AIGolosError(`The attempt took longer than ${attemptTimeoutMs / 1_000} s.`, { code, retryable: true });
}

function isHandedOver(output: object): output is HandedOver {
  return 'step' in output;
}

function usageOf(output: HandedOver | Pick<Processed<JobKind>, 'usage'>): JobUsage {
  return isHandedOver(output) ? {} : output.usage;
}
