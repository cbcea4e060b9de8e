import {
  type BatchRequest,
  BatchRequestSchema,
  type BatchTask,
  completionWindowSeconds,
  isFinal,
  LIMITS,
  NotFoundError,
  ValidationError,
} from '@aigolos/contracts';
import type { FileRecord, JobRecord, OwnedRecords } from '@aigolos/db';
import type { Jobs, Submitted } from '@aigolos/jobs';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { submitOnce } from '../../answers/submit-once.ts';
import { checkOptions } from '../../answers/unsupported-options.ts';
import type { Files } from '../files/files.service.ts';

export interface BatchesDeps {
  jobs: Jobs;
  db: Pick<OwnedRecords, 'jobs'>;
  files: Pick<Files, 'get'>;
}

/** Many calls of one route, as lines of a file. Of another account's batch nobody learns that it is there. */
export interface Batches {
  /** @throws where the input is no file for a batch. What stands in it is looked at later. */
  submit(account: string, request: BatchRequest, options: SubmissionOptions): Promise<Submitted<'batch'>>;
  /** @throws NotFoundError */
  get(account: string, id: string): Promise<JobRecord<'batch'>>;
  /** Newest first. `after` is the id of the last one of the page before. */
  list(
    account: string,
    page: { limit: number; after?: string | undefined },
  ): Promise<{ batches: JobRecord<'batch'>[]; hasMore: boolean }>;
  /** Harmless twice and after the end: returns it as it is then. */
  cancel(account: string, id: string): Promise<JobRecord<'batch'>>;
}

export function createBatches({ jobs, db, files }: BatchesDeps): Batches {
  async function get(account: string, id: string): Promise<JobRecord<'batch'>> {
    const job = await jobs.get(account, id).catch((error: unknown) => {
      if (!(error instanceof NotFoundError)) throw error;
    });
    if (job?.kind === 'batch') return job;
    throw new NotFoundError(`There is no batch ${id}.`, { code: 'BATCH_NOT_FOUND', param: 'batch_id' });
  }

  /** Lists leave out how far a job is, which a batch shows. */
  async function withCheckpoint(job: JobRecord<'batch'>): Promise<JobRecord<'batch'>> {
    if (isFinal(job.status)) return job;
    return { ...job, checkpoint: await jobs.checkpointOf(job.account, job._id) };
  }

  return {
    get,
    async submit(account, request, { terms, ...options }) {
      const warnings = checkOptions(request, { known: BatchRequestSchema.shape, refused: {} });
      const { metadata } = request;
      const { finishWithinSeconds, ...others } = terms;
      // The window is kept by the batch itself, which has to collect what is done by then.
      const asked = { kind: 'batch', account, body: request, said: { metadata } } as const;
      return submitOnce(jobs, { ...asked, options: { ...options, terms: others } }, async () => {
        assertInput(await files.get(account, request.input_file_id));
        return { task: toTask(request, finishWithinSeconds), warnings };
      });
    },
    async list(account, { limit, after }) {
      const last = after === undefined ? undefined : await get(account, after);
      const found = await db.jobs.list({ account, limit: limit + 1, after: last, kind: 'batch' });
      const page = found.slice(0, limit) as JobRecord<'batch'>[];
      return { batches: await Promise.all(page.map(withCheckpoint)), hasMore: found.length > limit };
    },
    async cancel(account, id) {
      await get(account, id);
      await jobs.cancel(account, id);
      return get(account, id);
    },
  };
}

function assertInput({ _id: id, purpose, bytes }: FileRecord): void {
  const param = 'input_file_id';
  if (purpose !== 'batch') {
    throw new ValidationError(`File ${id} was uploaded with purpose "${purpose}"; a batch needs one of "batch".`, {
      param,
    });
  }
  if (bytes > LIMITS.batchBytes) {
    throw new ValidationError(`File ${id} has ${bytes} bytes; the input of a batch has at most ${LIMITS.batchBytes}.`, {
      param,
    });
  }
}

function toTask(request: BatchRequest, finishWithinSeconds: number | undefined): BatchTask {
  const { endpoint, input_file_id: inputFile, completion_window: completionWindow } = request;
  const { output_expires_after: outputExpiry } = request;
  const seconds = Math.min(completionWindowSeconds(completionWindow), finishWithinSeconds ?? Number.POSITIVE_INFINITY);
  return {
    endpoint,
    inputFile,
    completionWindow,
    windowEndsAt: Date.now() + seconds * 1_000,
    ...(outputExpiry && { outputExpiry }),
  };
}
