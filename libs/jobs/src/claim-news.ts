import { setImmediate as afterThisTurn } from 'node:timers/promises';
import type { JobRecord } from '@aigolos/db';
import { invalidateJob } from './cached.ts';
import type { JobsDeps } from './deps.ts';

/** The news of the jobs that a process works on. Their work does not wait for their claims to be told; all else that is told does. */
export interface ClaimNews {
  live: JobsDeps['live'];
  /** Of a claim. Begins when the work has begun. */
  tell(job: Pick<JobRecord, '_id' | 'account' | 'conversation' | 'fence'>): void;
  /** There is no more to tell of this job. */
  forget(jobId: string): void;
}

export function createClaimNews({ live, cache }: Pick<JobsDeps, 'live' | 'cache'>): ClaimNews {
  const telling = new Map<string, Promise<void>>();

  async function tellClaim(job: Parameters<ClaimNews['tell']>[0]): Promise<void> {
    await afterThisTurn();
    await invalidateJob(cache, job);
    await live.publish(job._id, { type: 'changed', fence: job.fence });
  }

  return {
    live: {
      async publish(jobId, event) {
        await telling.get(jobId);
        await live.publish(jobId, event);
      },
    },
    tell: (job) => void telling.set(job._id, tellClaim(job)),
    forget: (jobId) => void telling.delete(jobId),
  };
}
