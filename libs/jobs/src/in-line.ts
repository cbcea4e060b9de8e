import { backlogOf, costOf } from '@aigolos/contracts';
import type { AnyJobRecord } from '@aigolos/db';
import type { QueuedJob } from '@aigolos/queue';

/** A job as it stands in line: what of its record its queue goes by. */
export function inLine(job: Pick<AnyJobRecord, '_id' | 'kind' | 'step' | 'account' | 'priority' | 'task'>): QueuedJob {
  const { _id: id, kind, step, account, priority } = job;
  const record = job as AnyJobRecord;
  return { id, kind, step, account, priority, cost: costOf(record), backlog: backlogOf(record) };
}
