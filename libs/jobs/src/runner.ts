import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRetryable, JOB_CATALOGUE, JobError, type JobKind, toJobFailure } from '@aigolos/contracts';
import { isDatabaseUnavailable, type JobEnding, type JobExpiry, type JobRecord } from '@aigolos/db';
import type { Handled } from '@aigolos/queue';
import { backoffMs, Counter, Histogram, type Registry } from '@aigolos/runtime';
import { type Attempt, type AttemptOutcome, attemptTimedOut, startAttempt } from './attempt.ts';
import { invalidateJob } from './cached.ts';
import type { JobsDeps } from './deps.ts';
import { expiryOf } from './expiry.ts';
import type { Processor } from './processor.ts';
import { writeTurn } from './turns.ts';

export interface RunnerOptions<Kind extends JobKind> {
  kind: Kind;
  process: Processor<Kind>;
  deps: JobsDeps;
  metrics: Registry;
  /** For tests. */
  leaseMs?: number;
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

const LEASE_MS = 15_000;
const RENEWALS_PER_LEASE = 3;
const EARLIER_TURN_MS = 200;
const RETRY_BACKOFF = { baseMs: 1_000, maxMs: 30_000 };
const DATABASE_BACKOFF = { baseMs: 250, maxMs: 5_000 };

export function createJobRunner<Kind extends JobKind>(options: RunnerOptions<Kind>): JobRunner {
  const { kind, process, deps, leaseMs = LEASE_MS } = options;
  const { db, live, cache, log } = deps;
  const worker = `${kind}-${randomUUID()}`;
  const running = new Map<string, Attempt<Kind>>();
  let draining = false;
  const metrics = createRunnerMetrics(options.metrics, kind);

  /** Writes an end. Waits for a database that is away: the work is done, and only this is left of it. */
  async function finish(
    job: JobRecord<Kind>,
    ending: Omit<JobEnding, 'finishedAt' | keyof JobExpiry>,
  ): Promise<boolean> {
    const finishedAt = new Date();
    const whole = { ...ending, finishedAt, ...expiryOf(job, ending.status, finishedAt) };
    const won = await untilDatabaseAnswers(async () => {
      if (await db.jobs.finish(job._id, job.fence, whole)) return true;
      // A write whose acknowledgement was lost has taken effect; only then does the record end with our own fence.
      const now = await db.jobs.find(job._id);
      return now?.fence === job.fence && now.finishedAt?.getTime() === finishedAt.getTime();
    });
    if (!won) return false;
    await invalidateJob(cache, job);
    if (ending.messagesPending) await writeTurn(db, { ...job, ...whole } as unknown as JobRecord<'chat'>);
    metrics.finished.inc({ kind, status: ending.status });
    metrics.seconds.observe({ kind }, (finishedAt.getTime() - job.createdAt.getTime()) / 1_000);
    await live.publish(job._id, { type: 'finished', fence: job.fence });
    return true;
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

  async function release(job: JobRecord<Kind>, checkpoint: unknown, countAttempt: boolean): Promise<boolean> {
    const options = { countAttempt, ...(checkpoint !== undefined && { checkpoint }) };
    const released = await untilDatabaseAnswers(() => db.jobs.release(job._id, job.fence, options));
    if (released) await invalidateJob(cache, job);
    return released;
  }

  async function settle(job: JobRecord<Kind>, outcome: AttemptOutcome<Kind>): Promise<Handled> {
    if (outcome.type === 'processed') {
      const { result, usage, warnings } = outcome.output;
      const messagesPending = job.conversation !== undefined;
      const all = [...job.warnings, ...warnings];
      await finish(job, {
        status: 'completed',
        result,
        usage,
        warnings: all,
        ...(messagesPending && { messagesPending }),
      });
      return 'done';
    }
    if (outcome.type === 'stopped') {
      switch (outcome.cause) {
        case 'lost':
          log.warn({ jobId: job._id, fence: job.fence }, 'somebody else owns this job by now');
          return 'done';
        case 'cancelled':
          await finish(job, { status: 'cancelled' });
          return 'done';
        case 'drained':
          return (await release(job, outcome.checkpoint, false)) ? { againAfterMs: 0 } : 'done';
        case 'timed_out':
          return retryOrFail(job, attemptTimedOut(kind), outcome.checkpoint);
      }
    }
    return retryOrFail(job, outcome.error, outcome.checkpoint);
  }

  async function retryOrFail(job: JobRecord<Kind>, error: unknown, checkpoint: unknown): Promise<Handled> {
    const again = isRetryable(error) && job.attempt < JOB_CATALOGUE[kind].maxAttempts;
    log.warn({ jobId: job._id, attempt: job.attempt, again, err: error }, 'an attempt failed');
    metrics.failures.inc({ kind });
    if (again) {
      const againAfterMs = backoffMs(job.attempt, RETRY_BACKOFF);
      return (await release(job, checkpoint, true)) ? { againAfterMs } : 'done';
    }
    await finish(job, { status: 'failed', failure: toJobFailure(error) });
    return 'done';
  }

  return {
    async handle(jobId) {
      if (draining) return { againAfterMs: 0 };
      const seen = await db.jobs.find(jobId);
      if (!seen) return 'done';
      if (seen.conversation !== undefined && seen.turn !== undefined) {
        if (await db.jobs.hasEarlierTurn(seen.conversation, seen.turn)) return { againAfterMs: EARLIER_TURN_MS };
      }
      const claim = await db.jobs.claim(jobId, { worker, leaseMs });
      if (claim.outcome === 'held') return { againAfterMs: Math.max(100, claim.until.getTime() - Date.now() + 100) };
      if (claim.outcome !== 'claimed') return 'done';

      const job = claim.job as JobRecord<Kind>;
      await invalidateJob(cache, job);
      if (job.cancelRequestedAt) return settle(job, { type: 'stopped', cause: 'cancelled', checkpoint: undefined });
      if (job.crashes >= JOB_CATALOGUE[kind].crashLimit) {
        const message = `The process that worked on this job died ${job.crashes} times; it is not tried again.`;
        const failure = toJobFailure(new JobError(message, { code: 'ENGINE_CRASHED' }));
        await finish(job, { status: 'failed', failure });
        return 'done';
      }
      const attempt = startAttempt({ job, process, deps, leaseMs, renewMs: leaseMs / RENEWALS_PER_LEASE });
      running.set(jobId, attempt);
      // The drain may have begun during the claim, when this attempt was not there to be aborted.
      if (draining) attempt.stop('drained');
      try {
        return await settle(job, await attempt.outcome);
      } finally {
        running.delete(jobId);
      }
    },
    cancel: (jobId) => running.get(jobId)?.stop('cancelled'),
    abortAll() {
      draining = true;
      for (const attempt of running.values()) attempt.stop('drained');
    },
  };
}

/** Runners of several kinds in one process share their metrics. */
function createRunnerMetrics(registry: Registry, kind: JobKind) {
  const known = (name: string) => registry.getSingleMetric(name);
  const finished =
    (known('aigolos_jobs_finished_total') as Counter<'kind' | 'status'> | undefined) ??
    new Counter({
      name: 'aigolos_jobs_finished_total',
      help: 'Jobs that reached a final state here',
      labelNames: ['kind', 'status'],
      registers: [registry],
    });
  finished.inc({ kind, status: 'completed' }, 0);
  const failures =
    (known('aigolos_job_attempts_failed_total') as Counter<'kind'> | undefined) ??
    new Counter({
      name: 'aigolos_job_attempts_failed_total',
      help: 'Attempts that failed here, tried again or not',
      labelNames: ['kind'],
      registers: [registry],
    });
  failures.inc({ kind }, 0);
  const seconds =
    (known('aigolos_job_duration_seconds') as Histogram<'kind'> | undefined) ??
    new Histogram({
      name: 'aigolos_job_duration_seconds',
      help: 'From submission to the end',
      labelNames: ['kind'],
      buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_000],
      registers: [registry],
    });
  return { finished, failures, seconds };
}
