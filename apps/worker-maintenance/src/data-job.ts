import { JOB_CATALOGUE, type JobKind } from '@aigolos/contracts';
import { createJobRunner, type Processor } from '@aigolos/jobs';
import { createCancelReceiver, createQueueWorker, type RedisConfig } from '@aigolos/queue';
import type { Registry } from '@aigolos/runtime';

export interface DataJobOptions<Kind extends JobKind> {
  kind: Kind;
  process: Processor<Kind>;
  deps: Parameters<typeof createJobRunner<Kind>>[0]['deps'];
  redis: RedisConfig;
  metrics: Registry;
}

export interface DataJob {
  isRunning(): boolean;
  /** Gives back at once what runs: another process goes on with it. */
  stop(): Promise<void>;
}

/** Takes the jobs of one kind off their queue and runs them, one at a time. */
export function startDataJob<Kind extends JobKind>(options: DataJobOptions<Kind>): DataJob {
  const { kind, process, deps, redis, metrics } = options;
  const { log } = deps;
  const runner = createJobRunner({ kind, process, deps, metrics });
  const cancels = createCancelReceiver(redis, log, (jobId) => runner.cancel(jobId));
  const { queue } = JOB_CATALOGUE[kind];
  const worker = createQueueWorker({ redis, queue, concurrency: 1, handle: runner.handle, log, metrics });
  return {
    isRunning: () => worker.isRunning(),
    async stop() {
      const drained = worker.drain();
      runner.abortAll();
      await drained;
      await worker.close();
      await cancels.close();
    },
  };
}
