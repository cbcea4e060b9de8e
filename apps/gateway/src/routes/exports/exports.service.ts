import { NotFoundError } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { SubmissionOptions } from '../../answers/submission-options.ts';

export interface Exports {
  /** Has everything exported that the account has. While one export of it waits or runs, the answer is that one. */
  submit(account: string, options: SubmissionOptions): Promise<AnyJobRecord>;
  /** @throws NotFoundError where the account has no such export. */
  get(account: string, id: string): Promise<JobRecord<'export'>>;
}

export function createExports(jobs: Pick<Jobs, 'submit' | 'get' | 'list'>): Exports {
  return {
    async submit(account, options) {
      // In this order: one that begins to run in between is met by the second look.
      for (const status of ['queued', 'in_progress'] as const) {
        const [going] = (await jobs.list({ account, kind: 'export', status, limit: 1 })).jobs;
        if (going) return jobs.get(account, going._id);
      }
      return jobs.submit({ kind: 'export', account, task: {}, ...options });
    },
    async get(account, id) {
      const job = await jobs.get(account, id);
      if (job.kind === 'export') return job;
      throw new NotFoundError(`There is no export ${id}.`, { code: 'JOB_NOT_FOUND' });
    },
  };
}
