import { DEFAULT_RETENTION } from '@aigolos/contracts';
import type { AnyJobRecord } from '@aigolos/db';
import type { ConsistencyCheck, ConsistencyDeps } from './check.ts';

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
  },
  async repair(deps, id) {
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
    const deleted = job.kind === 'transcription' ? { inputDeletedAt: now } : { outputDeletedAt: now };
    const { filesExpireAt } = job;
    await jobs.noteFilesDeleted(id, { ...deleted, ...(filesExpireAt && { filesExpireAt }) });
    return true;
  },
};

/** The key of a file that a job has and the store has not. */
async function missingKey({ blobs }: ConsistencyDeps, job: AnyJobRecord): Promise<string | undefined> {
  for (const key of expectedKeys(job)) if (!(await blobs.exists(key))) return key;
  return undefined;
}

function expectedKeys(job: AnyJobRecord): string[] {
  switch (job.kind) {
    case 'transcription':
      return job.inputDeletedAt || job.status === 'in_progress' ? [] : [job.task.audio.blobKey];
    case 'speech': {
      if (job.outputDeletedAt || !job.result) return [];
      const { blobKey, timings } = job.result;
      return timings ? [blobKey, timings.blobKey] : [blobKey];
    }
    case 'export':
      return job.outputDeletedAt || !job.result ? [] : [job.result.blobKey];
    case 'chat':
    case 'response':
    case 'erasure':
      return [];
  }
}
