import type { Database } from '@aigolos/db';
import type { CancelSender, LiveStreams, Producer } from '@aigolos/queue';
import type { Logger } from '@aigolos/runtime';

/** What the life of a job needs of the outside. */
export interface JobsDeps {
  db: Pick<Database, 'jobs' | 'conversations'>;
  producer: Pick<Producer, 'add' | 'knows' | 'remove'>;
  live: LiveStreams;
  log: Logger;
}

export interface SubmitterDeps extends JobsDeps {
  cancels: CancelSender;
  retentionDays: number;
}

const DAY_MS = 24 * 60 * 60_000;

/** When a job that ended now is to be deleted. */
export function expiryAfter(finishedAt: Date, retentionDays: number): Date {
  return new Date(finishedAt.getTime() + retentionDays * DAY_MS);
}
