import type { Readable } from 'node:stream';
import {
  AIGolosError,
  type BatchView,
  type ChatCompletion,
  ConflictError,
  ERROR_CODES,
  type ErasureResult,
  JobError,
  type JobFailure,
  type ResponseView,
  type SpeechTimingsView,
  type VoiceTurn,
} from '@aigolos/contracts';
import type { AnyJobRecord, JobSummary } from '@aigolos/db';
import { toBatchView } from './batch-view.ts';
import { toChatCompletion } from './chat-completion.ts';
import { toResponse } from './response-view.ts';
import { notAvailable, type ResultBlobs, type ResultFile, readFile } from './result-files.ts';
import { speechResult } from './speech-result.ts';
import { type TranscriptBody, transcriptResult } from './transcript-result.ts';
import { voiceTurnResult } from './voice-turn-result.ts';

export type ResultBody =
  | { type: 'json'; body: BatchView | ChatCompletion | ErasureResult | ResponseView | SpeechTimingsView | VoiceTurn }
  | { type: 'text'; text: Readable; contentType: string }
  | TranscriptBody
  | ResultFile;

/**
 * The answer of a job that has ended, in the form that was asked for when it was submitted; of a speech or a transcript in that
 * of its forms which the header Accept prefers.
 * @throws the error that the job ended with; ConflictError while it runs.
 */
export async function resultBody(blobs: ResultBlobs, job: AnyJobRecord, accept?: string): Promise<ResultBody> {
  if (!job.result) throw whyNoResult(job);
  switch (job.kind) {
    case 'chat':
      return { type: 'json', body: toChatCompletion(job, job.result) };
    case 'response':
      return { type: 'json', body: toResponse(job) };
    case 'transcription':
    case 'translation':
      return transcriptResult(job, job.result, accept);
    case 'speech':
      return speechResult(blobs, job, { result: job.result, accept });
    case 'voice-turn':
      return voiceTurnResult(blobs, job, { result: job.result, accept });
    case 'batch':
      return { type: 'json', body: toBatchView(job) };
    case 'export':
      return readFile(blobs, job, job.result);
    case 'erasure':
      return { type: 'json', body: job.result };
    default:
      throw ofLaterVersion(job);
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
      return failure ? failed(failure) : notAvailable(id);
    default:
      return ofLaterVersion(job);
  }
}

function failed({ code, message, param }: JobFailure): AIGolosError {
  if (!ERROR_CODES.includes(code)) return new JobError(message, { code: 'INTERNAL' });
  return new JobError(message, { code, ...(param !== undefined && { param }) });
}

/** A later version made it, which runs beside this one or ran before it. */
function ofLaterVersion({ _id: id }: Pick<JobSummary, '_id'>): AIGolosError {
  return new ConflictError(`Job ${id} was made by a later version; ask again when that version answers.`, {
    code: 'RESULT_NOT_READY',
  });
}
