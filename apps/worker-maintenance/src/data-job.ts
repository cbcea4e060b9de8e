import type { KindsOf, QueueName } from '@aigolos/contracts';
import { createJobRunner, type Processors } from '@aigolos/jobs';
import { createCancelReceiver, createQueueWorker, type RedisConfig } from '@aigolos/queue';
import type { Registry } from '@aigolos/runtime';

export interface DataJobOptions<Queue extends QueueName> {
  queue: Queue;
  processors: Processors<KindsOf<Queue>>;
  deps: Parameters<typeof createJobRunner<KindsOf<Queue>>>[0]['deps'];
  redis: RedisConfig;
  metrics: Registry;
}

export interface DataJob {
  isRunning(): boolean;
  /** Gives back at once what runs: another process goes on with it. */
  stop(): Promise<void>;
}

/** Takes jobs off one queue and runs them, one at a time. */
export function startDataJob<Queue extends QueueName>(options: DataJobOptions<Queue>): DataJob {
  const { queue, processors, deps, redis, metrics } = options;
  const { log } = deps;
  const runner = createJobRunner({ queue, processors, deps, metrics });
  const cancels = createCancelReceiver(redis, log, (jobId) => runner.cancel(jobId));
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
