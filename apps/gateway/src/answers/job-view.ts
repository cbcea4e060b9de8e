import { DEFAULT_RETENTION, isFinal, type JobView } from '@aigolos/contracts';
import type { JobSummary } from '@aigolos/db';
import type { Place } from '@aigolos/queue';

const MAX_RETRY_AFTER_SECONDS = 60;

/** A job as its owner sees it. */
export function toJobView(job: JobSummary, place?: Place): JobView {
  const startsInMs = place?.startsInMs;
  const self = `/v1/jobs/${job._id}`;
  return {
    id: job._id,
    object: 'job',
    kind: job.kind,
    status: job.status,
    model: 'model' in job.task && typeof job.task.model === 'string' ? job.task.model : null,
    created_at: unixSeconds(job.createdAt),
    started_at: job.startedAt ? unixSeconds(job.startedAt) : null,
    finished_at: job.finishedAt ? unixSeconds(job.finishedAt) : null,
    expires_at: expiresAt(job),
    input_expires_at: job.inputExpiresAt ? unixSeconds(job.inputExpiresAt) : null,
    output_expires_at: job.outputExpiresAt ? unixSeconds(job.outputExpiresAt) : null,
    retention: job.retention ?? DEFAULT_RETENTION,
    step: stepOf(job),
    progress: job.progress,
    queue_position: place?.ahead ?? null,
    estimated_start_at: startsInMs === undefined ? null : unixSeconds(new Date(Date.now() + startsInMs)),
    start_by: job.startBy ? unixSeconds(job.startBy) : null,
    finish_by: job.finishBy ? unixSeconds(job.finishBy) : null,
    priority: job.priority ?? 'default',
    attempt: job.attempt,
    reused_from: job.reusedFrom ?? null,
    error: job.failure ? { code: job.failure.code, message: job.failure.message } : null,
    usage: job.usage ? toUsageView(job.usage) : null,
    conversation: job.conversation ?? null,
    warnings: job.warnings,
    metadata: job.metadata,
    urls: { self, cancel: `${self}/cancel`, result: `${self}/result`, events: `${self}/events` },
  };
}

/** What a voice turn is at. */
export function stepOf({ kind, step }: Pick<JobSummary, 'kind' | 'step'>): JobView['step'] {
  return kind === 'voice-turn' ? (step ?? 'transcribe') : null;
}

/** When a job is deleted: null while it has not ended, and where it is kept. */
export function expiresAt(job: Pick<JobSummary, 'expiresAt'>): number | null {
  return job.expiresAt ? unixSeconds(job.expiresAt) : null;
}

export function unixSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1_000);
}

/** When to look again at a job that has not ended: after a quarter of its age, so that long jobs are asked for rarely. */
export function retryAfterSeconds(job: Pick<JobSummary, 'status' | 'createdAt'>, now = Date.now()): number | undefined {
  if (isFinal(job.status)) return undefined;
  const ageSeconds = (now - job.createdAt.getTime()) / 1_000;
  return Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(1, Math.ceil(ageSeconds / 4)));
}

function toUsageView(usage: NonNullable<JobSummary['usage']>): NonNullable<JobView['usage']> {
  const { audioSeconds, inputCharacters, promptTokens, completionTokens, computeMs } = usage;
  return {
    ...(audioSeconds !== undefined && { audio_seconds: audioSeconds }),
    ...(inputCharacters !== undefined && { input_characters: inputCharacters }),
    ...(promptTokens !== undefined && { prompt_tokens: promptTokens }),
    ...(completionTokens !== undefined && { completion_tokens: completionTokens }),
    ...(computeMs !== undefined && { compute_ms: computeMs }),
  };
}
