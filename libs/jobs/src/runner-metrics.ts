import type { JobKind } from '@aigolos/contracts';
import { Counter, Histogram, type Registry } from '@aigolos/runtime';

/** Runners in one process share their metrics. */
export function createRunnerMetrics(registry: Registry, kinds: readonly JobKind[]) {
  const known = (name: string) => registry.getSingleMetric(name);
  const registers = [registry];
  const finished =
    (known('aigolos_jobs_finished_total') as Counter<'kind' | 'status'> | undefined) ??
    new Counter({
      name: 'aigolos_jobs_finished_total',
      help: 'Jobs that reached a final state here',
      labelNames: ['kind', 'status'],
      registers,
    });
  for (const kind of kinds) finished.inc({ kind, status: 'completed' }, 0);
  const failures =
    (known('aigolos_job_attempts_failed_total') as Counter<'kind'> | undefined) ??
    new Counter({
      name: 'aigolos_job_attempts_failed_total',
      help: 'Attempts that failed here, tried again or not',
      labelNames: ['kind'],
      registers,
    });
  for (const kind of kinds) failures.inc({ kind }, 0);
  const seconds =
    (known('aigolos_job_duration_seconds') as Histogram<'kind'> | undefined) ??
    new Histogram({
      name: 'aigolos_job_duration_seconds',
      help: 'From submission to the end',
      labelNames: ['kind'],
      buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_000],
      registers,
    });
  return { finished, failures, seconds };
}
