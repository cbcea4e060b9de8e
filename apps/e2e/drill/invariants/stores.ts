import { deletedJobs, jobsOfLoad, type Rule, type Violation } from './case.ts';

/** No file without its record, and no record without its file. */
export const filesMatchRecords: Rule = ({ evidence }) => {
  const violations: Violation[] = [];
  const wanted = new Set<string>();
  for (const job of evidence.jobs.values()) {
    const keys = [
      job.kind === 'transcription' && !job.inputDeletedAt && job.task.audio.blobKey,
      ...(job.kind === 'speech' && !job.outputDeletedAt ? [job.result?.blobKey, job.result?.timings?.blobKey] : []),
    ];
    for (const key of keys) {
      if (typeof key !== 'string') continue;
      wanted.add(key);
      if (!evidence.blobs.has(key))
        violations.push({ rule: 'file_missing', about: job._id, what: `${key} is missing` });
    }
  }
  for (const key of evidence.blobs) {
    const [about = ''] = key.split('/');
    if (wanted.has(key)) continue;
    const what = evidence.jobs.has(about) ? `${key} belongs to no result` : `${key} has no record`;
    violations.push({ rule: 'file_left', about, what });
  }
  return violations;
};

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
