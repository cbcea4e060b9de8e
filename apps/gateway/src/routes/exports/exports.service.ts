import { NotFoundError } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Jobs, Submitted } from '@aigolos/jobs';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { submitOnce } from '../../answers/submit-once.ts';

export interface Exports {
  /**
   * Has everything exported that the account has. While one export of it waits or runs, the answer is that one, unless the
   * request has an Idempotency-Key: that names an export of its own.
   */
  submit(account: string, options: SubmissionOptions): Promise<Submitted>;
  /** @throws NotFoundError where the account has no such export. */
  get(account: string, id: string): Promise<JobRecord<'export'>>;
}

export function createExports(jobs: Pick<Jobs, 'submit' | 'findSubmitted' | 'get' | 'list'>): Exports {
  async function findGoing(account: string) {
    // In this order: one that begins to run in between is met by the second look.
    for (const status of ['queued', 'in_progress'] as const) {
      const [going] = (await jobs.list({ account, kind: 'export', status, limit: 1 })).jobs;
      if (going) return jobs.get(account, going._id);
    }
    return undefined;
  }

  return {
    async submit(account, options) {
      const going = options.idempotencyKey === undefined ? await findGoing(account) : undefined;
      if (going) return { job: going, replayed: false };
      return submitOnce(jobs, { kind: 'export', account, body: {}, options }, async () => ({ task: {} }));
    },
    async get(account, id) {
      const job = await jobs.get(account, id);
      if (job.kind === 'export') return job;
      throw new NotFoundError(`There is no export ${id}.`, { code: 'JOB_NOT_FOUND' });
    },
  };
}
