import type { KindsOf, QueueName } from '@aigolos/contracts';
import { createCancelReceiver, createQueueWorker, type RedisConfig } from '@aigolos/queue';
import type { Registry } from '@aigolos/runtime';
import type { RunnerDeps } from './deps.ts';
import type { Processors } from './processor.ts';
import { createJobRunner } from './runner.ts';

export interface QueueRunnerOptions<Queue extends QueueName> {
  queue: Queue;
  processors: Processors<KindsOf<Queue>>;
  deps: RunnerDeps;
  redis: RedisConfig;
  metrics: Registry;
  /** Jobs that run at once; one unless it says so. */
  concurrency?: number;
}

export interface QueueRunner {
  isRunning(): boolean;
  /** Gives back at once what runs: another process goes on with it. */
  stop(): Promise<void>;
}

/** Takes jobs off one queue and runs them beside whatever else its process does. */
export function startQueueRunner<Queue extends QueueName>(options: QueueRunnerOptions<Queue>): QueueRunner {
  const { redis, queue, processors, deps, metrics, concurrency = 1 } = options;
  const { log } = deps;
  const runner = createJobRunner({ queue, processors, deps, metrics });
  const cancels = createCancelReceiver(redis, log, (jobId) => runner.cancel(jobId));
  const worker = createQueueWorker({ redis, queue, concurrency, handle: runner.handle, log, metrics });
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
