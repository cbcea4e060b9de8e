import type { JobAtStep } from '@aigolos/contracts';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobReference, QueuedJob } from './producer.ts';

/** What those ask of a queue who look after jobs that wait. */
export interface Upkeep {
  /** Those of many jobs that the queue does not know, in one round trip. */
  unknown<T extends JobReference>(jobs: T[]): Promise<T[]>;
  /** Hands a job out now that its queue keeps for later. Harmless where it does not. */
  bringForward(job: JobReference): Promise<void>;
}

export function createUpkeep(connection: Redis, queueFor: (job: JobAtStep) => Queue): Upkeep {
  return {
    async unknown(jobs) {
      const pipeline = connection.pipeline();
      for (const job of jobs) pipeline.exists(queueFor(job).toKey(job.id));
      const answers = (await pipeline.exec()) ?? [];
      for (const [error] of answers) if (error) throw error;
      return jobs.filter((_job, index) => answers[index]?.[1] === 0);
    },
    async bringForward(job) {
      const entry = await queueFor(job).getJob(job.id);
      // Meanwhile somebody else may have taken it off or brought it forward, which is all that is wanted.
      if (await entry?.isDelayed()) await entry?.promote().catch(() => {});
    },
  };
}

/** More than these are left to the reconciler. */
const KEPT = 10_000;

/** Remembers which jobs could not be added, and adds them as soon as Redis is back: the reconciler would be some seconds late. */
export function createLateAdds(connection: Redis, add: (job: QueuedJob) => Promise<void>): (job: QueuedJob) => void {
  const missed = new Map<string, QueuedJob>();
  connection.on('ready', () => {
    void (async () => {
      for (const job of missed.values()) {
        await add(job);
        missed.delete(job.id);
      }
      // It is away again: the rest is tried when it is back.
    })().catch(() => {});
  });
  return (job) => {
    if (missed.size < KEPT) missed.set(job.id, job);
  };
}
