import {
  type BATCH_STATUSES,
  BatchCheckpointSchema,
  type BatchEndpoint,
  type BatchProblem,
  type BatchView,
} from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { unixSeconds } from './job-view.ts';

type BatchJob = JobRecord<'batch'>;

/** A batch as its owner sees it. */
export function toBatchView(job: BatchJob): BatchView {
  const { _id: id, task, result, createdAt, startedAt, finishedAt, cancelRequestedAt, metadata } = job;
  const kept = BatchCheckpointSchema.safeParse(job.checkpoint).data;
  const status = statusOf(job, kept);
  const counts = result?.counts ?? kept?.counts ?? { total: 0, completed: 0, failed: 0 };
  const finalizingAt = result?.finalizingAt ?? kept?.finalizingAt;
  const endedAs = (one: typeof status) => (status === one && finishedAt ? unixSeconds(finishedAt) : undefined);
  const problems = problemsOf(job);
  const { promptTokens = 0, completionTokens = 0 } = result?.usage ?? kept?.usage ?? {};
  return {
    id,
    object: 'batch',
    endpoint: task.endpoint as BatchEndpoint,
    input_file_id: task.inputFile,
    completion_window: task.completionWindow,
    status,
    created_at: unixSeconds(createdAt),
    expires_at: inSeconds(task.windowEndsAt),
    ...present({
      errors: problems.length > 0 ? { object: 'list' as const, data: problems } : undefined,
      output_file_id: result?.outputFile,
      error_file_id: result?.errorFile,
      in_progress_at: startedAt && status !== 'validating' ? unixSeconds(startedAt) : undefined,
      finalizing_at: finalizingAt === undefined ? undefined : inSeconds(finalizingAt),
      completed_at: endedAs('completed'),
      failed_at: endedAs('failed'),
      expired_at: endedAs('expired'),
      cancelling_at: cancelRequestedAt && unixSeconds(cancelRequestedAt),
      cancelled_at: endedAs('cancelled'),
    }),
    request_counts: counts,
    usage: {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: completionTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: promptTokens + completionTokens,
    },
    metadata,
  };
}

function statusOf(
  { status, cancelRequestedAt }: BatchJob,
  kept: { finalizingAt?: number | undefined } | undefined,
): (typeof BATCH_STATUSES)[number] {
  switch (status) {
    case 'completed':
    case 'failed':
    case 'expired':
    case 'cancelled':
      return status;
    case 'incomplete':
      return 'completed';
    case 'queued':
    case 'in_progress':
      if (cancelRequestedAt) return 'cancelling';
      if (!kept) return 'validating';
      return kept.finalizingAt === undefined ? 'in_progress' : 'finalizing';
  }
}

/** Of one that ended without looking at its lines, such as one whose file was deleted, what it ended with. */
function problemsOf({ result, failure }: BatchJob): BatchProblem[] {
  if (result && result.problems.length > 0) return result.problems;
  if (!failure) return [];
  return [{ code: failure.code.toLowerCase(), message: failure.message, param: failure.param ?? null, line: null }];
}

/** OpenAI's schema has no null for what is not there yet. */
function present<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as { [Name in keyof Fields]?: NonNullable<Fields[Name]> };
}

function inSeconds(unixMs: number): number {
  return Math.floor(unixMs / 1_000);
}
