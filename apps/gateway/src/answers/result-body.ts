import type { Readable } from 'node:stream';
import type { BlobStore } from '@aigolos/blob-store';
import {
  AIGolosError,
  type ChatCompletion,
  ConflictError,
  type ErasureResult,
  JobError,
  NotFoundError,
  type TranscriptionJson,
  type TranscriptionVerboseJson,
} from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord, JobSummary } from '@aigolos/db';
import { toChatCompletion } from './chat-completion.ts';
import { expiresAt } from './job-view.ts';

export type ResultBody =
  | { type: 'json'; body: ChatCompletion | TranscriptionJson | TranscriptionVerboseJson | ErasureResult }
  | { type: 'text'; text: string }
  | { type: 'file'; contentType: string; bytes: number; stream: Readable };

/**
 * The answer of a job that has ended, in the form that was asked for when it was submitted.
 * @throws the error that the job ended with; ConflictError while it runs.
 */
export async function resultBody(blobs: Pick<BlobStore, 'read' | 'exists'>, job: AnyJobRecord): Promise<ResultBody> {
  if (!job.result) throw whyNoResult(job);
  switch (job.kind) {
    case 'chat':
      return { type: 'json', body: toChatCompletion(job, job.result) };
    case 'transcription':
      return toTranscription(job, job.result);
    case 'speech':
      return readFile(blobs, job, job.result);
    case 'export':
      return readFile(blobs, job, job.result);
    case 'erasure':
      return { type: 'json', body: job.result };
  }
}

/** Why a job has no result, as the error that its owner gets. */
export function whyNoResult(job: JobSummary): AIGolosError {
  const { _id: id, status, failure } = job;
  switch (status) {
    case 'queued':
    case 'in_progress':
      return new ConflictError(`Job ${id} is ${status}; its result is not there yet.`, { code: 'RESULT_NOT_READY' });
    case 'cancelled':
      return new JobError(`Job ${id} was cancelled.`, { code: 'JOB_CANCELLED' });
    case 'expired':
      return new JobError(`Job ${id} expired before it was done.`, { code: 'JOB_EXPIRED' });
    case 'failed':
    case 'completed':
    case 'incomplete':
      return failure
        ? new JobError(failure.message, {
            code: failure.code,
            ...(failure.param !== undefined && { param: failure.param }),
          })
        : notAvailable(id);
  }
}

function toTranscription(
  job: JobRecord<'transcription'>,
  { text, language, durationSeconds, segments, words }: NonNullable<JobRecord<'transcription'>['result']>,
): ResultBody {
  const { task } = job;
  if (task.responseFormat === 'text') return { type: 'text', text };
  const usage = { type: 'duration' as const, seconds: Math.ceil(durationSeconds) };
  if (task.responseFormat === 'json') return { type: 'json', body: { text, usage, expires_at: expiresAt(job) } };
  const body: TranscriptionVerboseJson = {
    task: 'transcribe',
    language,
    duration: durationSeconds,
    text,
    ...(task.segmentTimestamps !== false && { segments }),
    ...(task.wordTimestamps && { words }),
    usage,
    expires_at: expiresAt(job),
  };
  return { type: 'json', body };
}

async function readFile(
  blobs: Pick<BlobStore, 'read' | 'exists'>,
  { _id: id, outputExpiresAt }: Pick<JobRecord, '_id' | 'outputExpiresAt'>,
  { blobKey, contentType, bytes }: { blobKey: string; contentType: string; bytes: number },
): Promise<ResultBody> {
  // A file whose time has come is gone for its readers, though it is deleted a little later.
  const isDue = outputExpiresAt !== undefined && outputExpiresAt <= new Date();
  if (isDue || !(await blobs.exists(blobKey))) throw notAvailable(id);
  return { type: 'file', contentType, bytes, stream: await blobs.read(blobKey) };
}

function notAvailable(id: string): NotFoundError {
  return new NotFoundError(`The result of job ${id} has been deleted.`, { code: 'RESULT_NOT_AVAILABLE' });
}
