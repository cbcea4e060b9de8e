import { DEFAULT_RETENTION, ID_PREFIXES, type SpeechResult, type TranscriptKind } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord } from '@aigolos/db';
import { removeFile } from '../file-removal.ts';
import type { ConsistencyCheck, ConsistencyDeps } from './check.ts';

const FILE_ID = `${ID_PREFIXES.file}_`;

/** Audio that is lost may come back from a backup: only who asks for it gets the record told that it is gone. */
export const missingBlobs: ConsistencyCheck = {
  kind: 'missing_blob',
  isAutomatic: false,
  async *find(deps, signal) {
    for await (const job of deps.db.consistency.jobsWithFiles()) {
      signal.throwIfAborted();
      const key = await missingKey(deps, job);
      if (key !== undefined)
        yield { id: job._id, detail: `${job.kind} ${job._id} is ${job.status}, but ${key} is missing` };
    }
    for await (const { _id: id, blobKey } of deps.db.files.all()) {
      signal.throwIfAborted();
      if (!(await deps.blobs.exists(blobKey))) yield { id, detail: `file ${id} is there, but ${blobKey} is missing` };
    }
  },
  async repair(deps, id) {
    if (id.startsWith(FILE_ID)) return removeLostFile(deps, id);
    const { jobs, consistency } = deps.db;
    const job = await jobs.find(id);
    const key = job && (await missingKey(deps, job));
    if (!job || key === undefined) return false;
    const now = new Date();
    if (job.status === 'queued') {
      const { result } = job.retention ?? DEFAULT_RETENTION;
      const expiresAt = result === null ? undefined : new Date(now.getTime() + result * 1_000);
      const message = 'The audio of this job was lost before it was transcribed; submit it again.';
      return consistency.failWithoutInput(id, { code: 'AUDIO_NOT_AVAILABLE', message }, expiresAt);
    }
    const deleted = key.endsWith('/input') ? { inputDeletedAt: now } : { outputDeletedAt: now };
    const { filesExpireAt } = job;
    await jobs.noteFilesDeleted(id, { ...deleted, ...(filesExpireAt && { filesExpireAt }) });
    return true;
  },
};

/** A file without its bytes is of no use to its owner. */
async function removeLostFile(deps: ConsistencyDeps, id: string): Promise<boolean> {
  const file = await deps.db.files.find(id);
  return file !== undefined && !(await deps.blobs.exists(file.blobKey)) && removeFile(deps, file);
}

/** The key of a file that a job has and the store has not. */
async function missingKey({ blobs }: ConsistencyDeps, job: AnyJobRecord): Promise<string | undefined> {
  for (const key of expectedKeys(job)) if (!(await blobs.exists(key))) return key;
  return undefined;
}

function expectedKeys(job: AnyJobRecord): string[] {
  switch (job.kind) {
    case 'transcription':
    case 'translation':
      return inputOf(job);
    case 'speech':
      return job.outputDeletedAt || !job.result ? [] : filesOf(job.result);
    case 'voice-turn':
      return [...inputOf(job), ...(job.outputDeletedAt || !job.result ? [] : filesOf(job.result.speech))];
    case 'export':
      return job.outputDeletedAt || !job.result ? [] : [job.result.blobKey];
    case 'chat':
    case 'response':
    case 'batch':
    case 'erasure':
      return [];
  }
}

function inputOf(job: JobRecord<TranscriptKind> | JobRecord<'voice-turn'>): string[] {
  const isNeeded = job.status === 'queued' && (job.step ?? 'transcribe') === 'transcribe';
  const isKept = job.status !== 'queued' && job.status !== 'in_progress';
  return !job.inputDeletedAt && (isNeeded || isKept) ? [job.task.audio.blobKey] : [];
}

function filesOf({ blobKey, timings }: SpeechResult): string[] {
  return timings ? [blobKey, timings.blobKey] : [blobKey];
}
