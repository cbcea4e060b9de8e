import type { Database } from '@aigolos/db';
import type { Handled } from '@aigolos/queue';
import { backoffMs, Counter, type Logger, type Registry, startPeriodic } from '@aigolos/runtime';
import type { ScheduledTask } from './tasks.ts';

export interface TaskRunnerOptions {
  taskRuns: Database['taskRuns'];
  tasks: readonly ScheduledTask[];
  /** This process. */
  holder: string;
  /** Interrupts what runs; it is taken up again by another process. */
  signal: AbortSignal;
  metrics: Registry;
  log: Logger;
  /** For tests. */
  leaseMs?: number;
}

const LEASE_MS = 30_000;
const RENEWALS_PER_LEASE = 3;
const MAX_ATTEMPTS = 5;
const BACKOFF = { baseMs: 10_000, maxMs: 5 * 60_000 };

/**
 * Runs each due time of a scheduled task to its end once, however often it is handed out and whichever process dies: who runs it
 * holds a lease on it, and that it is over is written down.
 */
export function createTaskRunner(options: TaskRunnerOptions): (name: string, slot: Date) => Promise<Handled> {
  const { taskRuns, tasks, holder, signal, log, leaseMs = LEASE_MS } = options;
  const runs = new Counter({
    name: 'aigolos_scheduled_runs_total',
    help: 'Runs of scheduled tasks that ended here: done, failed, or to be taken up again',
    labelNames: ['task', 'outcome'],
    registers: [options.metrics],
  });
  for (const { name } of tasks) runs.inc({ task: name, outcome: 'done' }, 0);

  /** Runs a task while the lease lasts; it is aborted when another process has taken it over. */
  async function withLease(
    run: { name: string; slot: Date },
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const lost = new AbortController();
    const renewing = startPeriodic({
      intervalMs: leaseMs / RENEWALS_PER_LEASE,
      async run() {
        if (!(await taskRuns.renew(run, { holder, leaseMs }))) lost.abort();
      },
      onError: (error) => log.warn({ task: run.name, err: error }, 'the lease of a scheduled task was not renewed'),
    });
    try {
      await work(AbortSignal.any([signal, lost.signal]));
    } finally {
      await renewing.stop();
    }
  }

  return async (name, slot) => {
    const task = tasks.find((candidate) => candidate.name === name);
    if (!task) return 'done';
    const run = { name, slot };
    const claim = await taskRuns.claim(run, { holder, leaseMs });
    if (claim.outcome === 'over') return 'done';
    if (claim.outcome === 'held') return { againAfterMs: Math.max(0, claim.until.getTime() - Date.now()) + 100 };
    const { attempt } = claim;
    const end = async (outcome: 'done' | 'failed' | 'again') => {
      await taskRuns.end(run, holder, outcome);
      runs.inc({ task: name, outcome });
    };
    if (attempt > MAX_ATTEMPTS) {
      log.error({ task: name, slot, attempt }, 'a scheduled task that its process did not survive is given up');
      await end('failed');
      return 'done';
    }
    try {
      await withLease(run, (until) => task.run(until, slot));
      await end('done');
      log.info({ task: name, slot, attempt }, 'a scheduled task is done');
      return 'done';
    } catch (error) {
      const again = signal.aborted || attempt < MAX_ATTEMPTS;
      if (!signal.aborted) log.error({ task: name, slot, attempt, again, err: error }, 'a scheduled task failed');
      await end(again ? 'again' : 'failed');
      return again ? { againAfterMs: signal.aborted ? 0 : backoffMs(attempt, BACKOFF) } : 'done';
    }
  };
}
