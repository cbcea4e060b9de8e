import { text } from 'node:stream/consumers';
import type { BlobStore } from '@aigolos/blob-store';
import {
  AIGolosError,
  type BatchOutputLine,
  type FileExpiry,
  type JobUsage,
  type OpenAIErrorBody,
} from '@aigolos/contracts';
import type { AnyJobRecord } from '@aigolos/db';
import { resultBody } from '../answers/result-body.ts';
import type { ResultFile } from '../answers/result-files.ts';
import { toOpenAIError } from '../errors/error-body.ts';
import { ERROR_TABLE } from '../errors/error-table.ts';
import { toAIGolosError } from '../errors/to-aigolos-error.ts';
import type { Files, MadeBy } from '../routes/files/files.service.ts';

/** What came of a line: what its call was answered with, or why it was not called. */
export interface LineOutcome {
  response: BatchOutputLine['response'];
  error: BatchOutputLine['error'];
  usage: JobUsage;
}

export interface OutcomeDeps {
  blobs: Pick<BlobStore, 'read' | 'exists' | 'receive'>;
  files: Pick<Files, 'keepMade'>;
}

/** Whose files what was made becomes. */
export interface OutputOwner {
  madeBy: MadeBy;
  expiry: FileExpiry | undefined;
}

const OK = 200;

/**
 * What the synchronous call would have been answered with, of a job that has ended. Sound becomes a file, which is named.
 * @throws where a store does not answer.
 */
export async function outcomeOf(deps: OutcomeDeps, job: AnyJobRecord, owner: OutputOwner): Promise<LineOutcome> {
  try {
    const result = await resultBody(deps.blobs, job);
    const body =
      result.type === 'json'
        ? result.body
        : result.type === 'text'
          ? await textOf(result.text)
          : await keepSound(deps, { job, sound: result, owner });
    return { response: { status_code: OK, request_id: job._id, body }, error: null, usage: job.usage ?? {} };
  } catch (error) {
    // A store that is away says nothing of the line.
    if (!(error instanceof AIGolosError) || error.retryable) throw error;
    return failed(error, job._id);
  }
}

/** A call that was refused, or whose job has no result. */
export function failed(error: unknown, requestId: string): LineOutcome {
  const told: AIGolosError = toAIGolosError(error);
  const body: OpenAIErrorBody = toOpenAIError(told);
  return {
    response: { status_code: ERROR_TABLE[told.code].status, request_id: requestId, body },
    error: null,
    usage: {},
  };
}

/** A call that was not made, or stopped, because its batch came to its end before. */
export function notCalled(end: 'cancelled' | 'expired'): LineOutcome {
  const message =
    end === 'cancelled'
      ? 'The batch was cancelled before this request was done.'
      : 'This request could not be done before the completion window ended.';
  return { response: null, error: { code: `batch_${end}`, message }, usage: {} };
}

export function isOutput({ response }: LineOutcome): boolean {
  return response?.status_code === OK;
}

async function textOf(content: string | AsyncIterable<unknown>): Promise<string> {
  return typeof content === 'string' ? content : text(content as NodeJS.ReadableStream);
}

/** The file is the job's, under an id that follows from it: a line that is collected twice has one. */
async function keepSound(
  { blobs, files }: OutcomeDeps,
  { job, sound, owner }: { job: AnyJobRecord; sound: ResultFile; owner: OutputOwner },
) {
  const { contentType, bytes, stream } = sound;
  const file = await blobs.receive(stream, { maxBytes: bytes });
  const suffix = job._id.slice(job._id.indexOf('_') + 1);
  const extension = contentType.slice(contentType.indexOf('/') + 1).replaceAll(/\W.*$/g, '');
  const { account } = job;
  const { _id: id } = await files.keepMade(file, {
    id: `file_${suffix}`,
    account,
    filename: `${suffix}.${extension}`,
    ...owner,
  });
  return { object: 'audio.speech' as const, job: job._id, file_id: id, content_type: contentType, bytes };
}
