import type { SpeechResult, TranscriptKind } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord } from '@aigolos/db';
import { deletedJobs, jobsOfLoad, type Rule, type Violation } from './case.ts';

/** No file without its record, and no record without its file. */
export const filesMatchRecords: Rule = ({ evidence }) => {
  const violations: Violation[] = [];
  const wanted = new Set<string>();
  const want = (about: string, key: string) => {
    wanted.add(key);
    if (!evidence.blobs.has(key)) violations.push({ rule: 'file_missing', about, what: `${key} is missing` });
  };
  for (const job of evidence.jobs.values()) {
    for (const key of keysOf(job)) want(job._id, key);
  }
  for (const { _id, blobKey } of evidence.files) want(_id, blobKey);
  for (const key of evidence.blobs) {
    const [about = ''] = key.split('/');
    if (wanted.has(key)) continue;
    const what = evidence.jobs.has(about) ? `${key} belongs to no result` : `${key} has no record`;
    violations.push({ rule: 'file_left', about, what });
  }
  return violations;
};

/** What a job that has ended was given and has made, as far as its time is not over. */
function keysOf(job: AnyJobRecord): string[] {
  switch (job.kind) {
    case 'transcription':
    case 'translation':
      return inputOf(job);
    case 'speech':
      return outputOf(job, job.result);
    case 'voice-turn':
      return [...inputOf(job), ...outputOf(job, job.result?.speech)];
    case 'chat':
    case 'response':
    case 'batch':
    case 'export':
    case 'erasure':
      return [];
  }
}

function inputOf({ inputDeletedAt, task }: JobRecord<TranscriptKind> | JobRecord<'voice-turn'>): string[] {
  return inputDeletedAt ? [] : [task.audio.blobKey];
}

function outputOf({ outputDeletedAt }: Pick<JobRecord, 'outputDeletedAt'>, speech: SpeechResult | undefined): string[] {
  if (outputDeletedAt || !speech) return [];
  return [speech.blobKey, ...(speech.timings ? [speech.timings.blobKey] : [])];
}

/**
 * When everything has ended the queues are empty. A webhook's next try that became needless may stand there until its time, when
 * it finds that it was delivered.
 */
export const queuesAreEmpty: Rule = ({ evidence }) => {
  const settled = new Set(evidence.deliveries.flatMap(({ _id, status }) => (status === 'pending' ? [] : [_id])));
  return evidence.queued.flatMap((entry) => {
    const [queue, list, about = ''] = entry.split('/');
    if (queue === 'webhooks' && list === 'delayed' && settled.has(about)) return [];
    return [{ rule: 'queue', about, what: `${entry} is still there` }];
  });
};

/** One job an operation, however often it was sent: with a key, or once without. */
export const oneJobAnOperation: Rule = (given) => {
  const violations: Violation[] = [];
  const deleted = deletedJobs(given);
  const made = new Map<string, Set<string>>();
  const add = (op: string, job: string) => made.set(op, (made.get(op) ?? new Set()).add(job));
  for (const { job, operation } of jobsOfLoad(given)) add(operation.id, job._id);
  for (const { op, job } of given.journal.of('acknowledged')) add(op, job);
  for (const [about, jobs] of made) {
    if (jobs.size === 1) continue;
    const names = [...jobs].map((job) => (deleted.has(job) ? `${job} (deleted)` : job)).join(', ');
    violations.push({ rule: 'doubled', about, what: `became ${jobs.size} jobs: ${names}` });
  }
  return violations;
};
