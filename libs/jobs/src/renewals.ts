import type { Database, JobRecord } from '@aigolos/db';
import { type Logger, messageOf } from '@aigolos/runtime';

export interface RenewalOptions {
  job: Pick<JobRecord, '_id' | 'fence' | 'progress'>;
  db: { jobs: Pick<Database['jobs'], 'renew'> };
  log: Logger;
  leaseMs: number;
  renewMs: number;
  onLost(): void;
  onCancelRequested(): void;
  /** The record holds a newer checkpoint. */
  onKept(): void;
}

/** Keeps a claim, and what its work has to say, in the record. */
export interface Renewals {
  reportProgress(fraction: number): void;
  /** Is in the record within about a second. */
  checkpoint(value: unknown): void;
  /** Resolves when the record holds it; never where the claim is lost before. */
  checkpointNow(value: unknown): Promise<void>;
  /** The newest checkpoint of this claim, written or not. */
  newest(): unknown;
  stop(): void;
}

/** At most so often a checkpoint makes a write of its own. */
const CHECKPOINT_EVERY_MS = 1_000;
const AGAIN_AFTER_ERROR_MS = 500;

/**
 * Renews a lease until it is stopped. One write is on its way at a time, so that an older one never lands after a newer; one
 * that cannot reach the database is tried again, and the claim goes on meanwhile: the fence decides at its end. A checkpoint
 * is written once.
 */
export function startRenewals({
  job,
  db,
  log,
  leaseMs,
  renewMs,
  onLost,
  onCancelRequested,
  onKept,
}: RenewalOptions): Renewals {
  let progress = job.progress;
  let checkpoint: unknown;
  let made = 0;
  let written = 0;
  let writing = false;
  let stopped = false;
  let beganAt = performance.now();
  let dueAt = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const waiting: { until: number; resolve: () => void }[] = [];

  function writeWithin(delayMs: number): void {
    dueAt = Math.min(dueAt, performance.now() + delayMs);
    if (writing || stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void write(), Math.max(0, dueAt - performance.now()));
  }

  async function write(): Promise<void> {
    writing = true;
    dueAt = Number.POSITIVE_INFINITY;
    beganAt = performance.now();
    const upTo = made;
    const news = { leaseMs, progress, ...(upTo > written && { checkpoint }) };
    const answer = await db.jobs.renew(job._id, job.fence, news).catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, 'the lease could not be renewed, trying again');
      return 'failed' as const;
    });
    writing = false;
    if (stopped) return;
    if (answer === 'lost') return onLost();
    if (answer === 'cancel_requested') onCancelRequested();
    if (answer !== 'failed') {
      if (upTo > written) onKept();
      written = upTo;
      while (waiting[0] && waiting[0].until <= written) waiting.shift()?.resolve();
    }
    if (answer === 'failed') dueAt = Number.POSITIVE_INFINITY;
    writeWithin(answer === 'failed' ? Math.min(renewMs, AGAIN_AFTER_ERROR_MS) : renewMs);
  }

  writeWithin(renewMs);
  return {
    reportProgress(fraction) {
      progress = Math.min(1, Math.max(0, fraction));
    },
    checkpoint(value) {
      checkpoint = value;
      made += 1;
      writeWithin(beganAt + CHECKPOINT_EVERY_MS - performance.now());
    },
    checkpointNow(value) {
      checkpoint = value;
      made += 1;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ until: made, resolve });
      writeWithin(0);
      return promise;
    },
    newest: () => checkpoint,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
