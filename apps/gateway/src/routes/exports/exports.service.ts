import { type ExportRequest, NotFoundError } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import type { Jobs, Submitted } from '@aigolos/jobs';
import { withBodyTerms } from '../../answers/body-terms.ts';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { submitOnce } from '../../answers/submit-once.ts';
import type { WebhookEndpoints } from '../webhooks/webhook-endpoints.service.ts';

export interface ExportsDeps {
  jobs: Pick<Jobs, 'submit' | 'findSubmitted' | 'get' | 'list'>;
  endpoints: Pick<WebhookEndpoints, 'assertCallable'>;
}

export interface Exports {
  /**
   * Has everything exported that the account has. While one export of it waits or runs, the answer is that one, unless the
   * request has terms of its own, which that one has not, or an Idempotency-Key: that names an export of its own.
   */
  submit(account: string, request: ExportRequest, options: SubmissionOptions): Promise<Submitted>;
  /** @throws NotFoundError where the account has no such export. */
  get(account: string, id: string): Promise<JobRecord<'export'>>;
}

export function createExports({ jobs, endpoints }: ExportsDeps): Exports {
  async function findGoing(account: string) {
    // In this order: one that begins to run in between is met by the second look.
    for (const status of ['queued', 'in_progress'] as const) {
      const [going] = (await jobs.list({ account, kind: 'export', status, limit: 1 })).jobs;
      if (going) return jobs.get(account, going._id);
    }
    return undefined;
  }

  return {
    async submit(account, request, options) {
      const { retention, metadata, ...inBody } = request ?? {};
      const said = { retention, metadata };
      const terms = await withBodyTerms(endpoints, { account, terms: options.terms }, inBody);
      const isOwn = [options.idempotencyKey, ...Object.values(terms), retention, metadata].some(
        (value) => value !== undefined,
      );
      const going = isOwn ? undefined : await findGoing(account);
      if (going) return { job: going, replayed: false };
      const asked = { kind: 'export', account, body: {}, said, options: { ...options, terms } } as const;
      return submitOnce(jobs, asked, async () => ({ task: {} }));
    },
    async get(account, id) {
      const job = await jobs.get(account, id);
      if (job.kind === 'export') return job;
      throw new NotFoundError(`There is no export ${id}.`, { code: 'JOB_NOT_FOUND' });
    },
  };
}
