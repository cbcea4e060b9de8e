import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  isFinal,
  isMetered,
  isRetryable,
  JobError,
  type JobFailure,
  type JobKind,
  type QueueName,
  queueOf,
  termsOf,
  toJobFailure,
  UnavailableError,
  WINDING_UP_KINDS,
} from '@aigolos/contracts';
import {
  type AnyJobRecord,
  isDatabaseUnavailable,
  type JobEnding,
  type JobExpiry,
  type JobRecord,
  type Release,
  type StepEnd,
} from '@aigolos/db';
import type { Handled } from '@aigolos/queue';
import { backoffMs, messageOf, type Registry } from '@aigolos/runtime';
import { type Attempt, type AttemptOutcome, attemptTimedOut, startAttempt } from './attempt.ts';
import { invalidateJob } from './cached.ts';
import { createClaimNews } from './claim-news.ts';
import type { RunnerDeps } from './deps.ts';
import { expireJob, tellEnd } from './endings.ts';
import { expiryOf } from './expiry.ts';
import { inLine } from './in-line.ts';
import type { Processor, Processors } from './processor.ts';
import { createRunnerMetrics } from './runner-metrics.ts';
import { waitForTurn, writeTurn } from './turns.ts';
import { stepsDone } from './voice-turn.ts';

export interface RunnerOptions<Kinds extends JobKind> {
  /** The one that its ids come from: a job that is on another by now is sent there. */
  queue: QueueName;
  processors: Processors<Kinds>;
  deps: RunnerDeps;
  metrics: Registry;
  /** For tests. */
  leaseMs?: number;
  /** For tests. */
  retryBackoff?: { baseMs: number; maxMs: number };
}

/** Everything about running a job that is not the work itself: claim, lease, cancel, retry, completion, drain. */
export interface JobRunner {
  /** Handles one id that the queue gave. */
  handle(jobId: string): Promise<Handled>;
  /** Stops the engine if this process runs the job. */
  cancel(jobId: string): void;
  /** Aborts what still runs and gives it back to the queue; the attempts do not count. Takes no more jobs. */
  abortAll(): void;
}

/** With the queue's locks this decides how soon the job of a killed worker goes on: docs/adr/0015. */
const LEASE_MS = 10_000;
const RENEWALS_PER_LEASE = 3;
const RETRY_BACKOFF = { baseMs: 1_000, maxMs: 30_000 };
const DATABASE_BACKOFF = { baseMs: 250, maxMs: 1_000 };
const HELD_GRACE_MS = 100;
const DATABASE_AWAY_MS = 1_000;
/** A later version may put other kinds of jobs on this queue: they are left for its workers to take. */
const OF_A_LATER_VERSION_MS = 1_000;

export function createJobRunner<Kinds extends JobKind>(options: RunnerOptions<Kinds>): JobRunner {
  const { queue, leaseMs = LEASE_MS, retryBackoff = RETRY_BACKOFF } = options;
  const claims = createClaimNews(options.deps);
  const deps = { ...options.deps, live: claims.live };
  const { db, live, cache, log } = deps;
  // A record's kind and its processor's are the same one, which the types of a look-up by kind cannot say.
  const processors: Partial<Record<JobKind, unknown>> = options.processors;
  const processorOf = (kind: JobKind) => processors[kind] as Processor<JobKind> | undefined;
  const kinds = Object.keys(processors) as Kinds[];
  const worker = `${kinds.join('+')}-${randomUUID()}`;
  const handling = new Set<string>();
  const running = new Map<string, Attempt<JobKind>>();
  let draining = false;
  const metrics = createRunnerMetrics(options.metrics, kinds);

  /** Writes an end. Waits for a database that is away: the work is done, and only this is left of it. */
  async function finish(job: JobRecord, ending: Omit<JobEnding, 'finishedAt' | keyof JobExpiry>): Promise<Handled> {
    const finishedAt = new Date();
    const usagePending = ending.usage !== undefined && isMetered(job.kind);
    const whole = {
      ...ending,
      ...(usagePending && { usagePending }),
      finishedAt,
      ...expiryOf(job, ending.status, finishedAt),
    };
    const won = await untilDatabaseAnswers(async () => {
      if (await db.jobs.finish(job._id, job.fence, whole)) return true;
      // A write whose acknowledgement was lost has taken effect; only then does the record end with our own fence.
      const now = await db.jobs.find(job._id);
      return now?.fence === job.fence && now.finishedAt?.getTime() === finishedAt.getTime();
    });
    if (!won) return 'done';
    if (ending.messagesPending) await writeTurn(db, { ...job, ...whole } as unknown as AnyJobRecord);
    metrics.finished.inc({ kind: job.kind, status: ending.status });
    metrics.seconds.observe({ kind: job.kind }, (finishedAt.getTime() - job.createdAt.getTime()) / 1_000);
    await tellEnd(deps, job, ending);
    return 'done';
  }

  /** What the steps before have made stays, so that an operator can have the job go on. */
  function fail(job: JobRecord, failure: JobFailure): Promise<Handled> {
    const done = stepsDone(job as AnyJobRecord);
    return finish(job, { status: 'failed', failure, ...(done && { checkpoint: done.checkpoint }) });
  }

  async function untilDatabaseAnswers<T>(write: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await write();
      } catch (error) {
        if (!isDatabaseUnavailable(error)) throw error;
        await sleep(backoffMs(attempt, DATABASE_BACKOFF));
      }
    }
  }

  async function release(job: JobRecord, release: Release, againAfterMs: number): Promise<Handled> {
    const released = await untilDatabaseAnswers(() => db.jobs.release(job._id, job.fence, release));
    if (!released) return 'done';
    await invalidateJob(cache, job);
    void live.publish(job._id, { type: 'changed', fence: job.fence });
    return { againAfterMs };
  }

  /**
   * The job goes on to the queue of its step. Whoever dies between the two writes leaves it queued in the record, by whose
   * step the reconciler finds the queue.
   */
  async function handOver(job: JobRecord, next: StepEnd): Promise<Handled> {
    if (!(await untilDatabaseAnswers(() => db.jobs.handOver(job._id, job.fence, next)))) return 'done';
    await invalidateJob(cache, job);
    void live.publish(job._id, { type: 'changed', fence: job.fence });
    return sendOn({ ...job, step: next.step });
  }

  /** To the queue where its step is done. */
  async function sendOn(job: Pick<JobRecord, keyof JobRecord>): Promise<Handled> {
    await deps.producer.add(inLine(job as AnyJobRecord)).catch((error: unknown) => {
      log.warn({ jobId: job._id, reason: messageOf(error) }, 'the queue is away; the reconciler will add this job');
    });
    return 'done';
  }

  async function settle(job: JobRecord, outcome: AttemptOutcome<JobKind>): Promise<Handled> {
    if (outcome.type === 'processed') {
      const { result, usage, warnings, status = 'completed', failure } = outcome.output;
      return finish(job, {
        status,
        result,
        usage,
        warnings: [...job.warnings, ...warnings],
        ...(failure && { failure }),
        ...(job.conversation !== undefined && { messagesPending: true }),
      });
    }
    if (outcome.type === 'handed_over') return handOver(job, outcome.next);
    if (outcome.type === 'failed') return retryOrFail(job, outcome.error, outcome.checkpoint);
    const { cause, checkpoint, usage, error } = outcome;
    switch (cause) {
      case 'lost':
        log.warn({ jobId: job._id, fence: job.fence }, 'somebody else owns this job by now');
        return 'done';
      case 'cancelled':
        // What it had begun is to be stopped, and kept, all the same.
        if (WINDING_UP_KINDS.includes(job.kind)) return retryOrFail(job, notWoundUp(error), checkpoint);
        return finish(job, { status: cause });
      case 'expired':
        return finish(job, { status: cause, ...(usage && { usage }) });
      case 'drained':
        return release(job, { outcome: cause, checkpoint }, 0);
      case 'timed_out':
        return retryOrFail(job, attemptTimedOut(job), checkpoint);
    }
  }

  async function retryOrFail(job: JobRecord, error: unknown, checkpoint: unknown): Promise<Handled> {
    const again = isRetryable(error) && job.attempt < termsOf(job).maxAttempts;
    log.warn({ jobId: job._id, attempt: job.attempt, again, err: error }, 'an attempt failed');
    metrics.failures.inc({ kind: job.kind });
    const failure = toJobFailure(error);
    if (!again) return fail(job, failure);
    return release(job, { outcome: 'retried', error: failure.code, checkpoint }, backoffMs(job.attempt, retryBackoff));
  }

  async function expire(job: Pick<JobRecord, keyof JobRecord>): Promise<Handled> {
    if (!(await expireJob(deps, job))) return { againAfterMs: HELD_GRACE_MS };
    metrics.finished.inc({ kind: job.kind, status: 'expired' });
    return 'done';
  }

  async function take(jobId: string): Promise<Handled> {
    const seen = await db.jobs.find(jobId);
    if (!seen) return 'done';
    const process = processorOf(seen.kind);
    if (!process) return { againAfterMs: OF_A_LATER_VERSION_MS };
    if (queueOf(seen) !== queue) return isFinal(seen.status) ? 'done' : sendOn(seen);
    if (seen.status === 'queued' && seen.deadlineAt && seen.deadlineAt <= new Date()) return expire(seen);
    const wait = await waitForTurn(deps, seen);
    if (wait) return wait;
    const claim = await db.jobs.claim(jobId, { worker, leaseMs }, seen);
    if (claim.outcome === 'due') return expire(claim.job);
    if (claim.outcome === 'held') return { againAfterMs: claim.until.getTime() - Date.now() + HELD_GRACE_MS };
    if (claim.outcome === 'foreign') return { againAfterMs: OF_A_LATER_VERSION_MS };
    if (claim.outcome !== 'claimed') return 'done';
    const { job } = claim;
    claims.tell(job);
    // Another worker was quicker with its step, between the look and the claim.
    if (job.step && queueOf(job) !== queue)
      return handOver(job, { ...job, step: job.step, checkpoint: job.checkpoint });
    return work(job, process);
  }

  async function work(job: JobRecord, process: Processor<JobKind>): Promise<Handled> {
    const windsUp = WINDING_UP_KINDS.includes(job.kind);
    if (job.cancelRequestedAt && !windsUp) return finish(job, { status: 'cancelled' });
    if (job.crashes >= termsOf(job).crashLimit) {
      const message = `The process that worked on this job died ${job.crashes} times; it is not tried again.`;
      return fail(job, toJobFailure(new JobError(message, { code: 'ENGINE_CRASHED' })));
    }
    const attempt = startAttempt({ job, process, deps, leaseMs, renewMs: leaseMs / RENEWALS_PER_LEASE });
    running.set(job._id, attempt);
    if (job.cancelRequestedAt) attempt.stop('cancelled');
    // The drain may have begun during the claim, when this attempt was not there to be aborted.
    if (draining) attempt.stop('drained');
    const outcome = await attempt.outcome.finally(() => running.delete(job._id));
    return settle(job, outcome);
  }

  return {
    async handle(jobId) {
      if (draining) return { againAfterMs: 0 };
      // The queue took it for abandoned, since our locks were late; the work goes on.
      if (handling.has(jobId)) return { againAfterMs: leaseMs };
      handling.add(jobId);
      try {
        return await take(jobId);
      } catch (error) {
        if (!isDatabaseUnavailable(error)) throw error;
        log.warn({ jobId, reason: messageOf(error) }, 'the database is away; this job is looked at again');
        return { againAfterMs: DATABASE_AWAY_MS };
      } finally {
        handling.delete(jobId);
        claims.forget(jobId);
      }
    },
    cancel: (jobId) => running.get(jobId)?.stop('cancelled'),
    abortAll() {
      draining = true;
      for (const attempt of running.values()) attempt.stop('drained');
    },
  };
}

function notWoundUp(cause: unknown): UnavailableError {
  return new UnavailableError('What came of it until it was cancelled could not be kept.', { cause });
}
