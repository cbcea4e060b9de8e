import type { AccountLimits, RetentionOffer } from '@aigolos/contracts';
import type { AccountRecord, Database } from '@aigolos/db';
import type { CancelSender, LiveStreams, Producer, ReadCache } from '@aigolos/queue';
import type { Logger } from '@aigolos/runtime';

/** What the life of a job needs of the outside. */
export interface JobsDeps {
  db: Pick<Database, 'jobs' | 'conversations' | 'quotas'>;
  producer: Pick<Producer, 'bringForward'>;
  live: Pick<LiveStreams, 'publish'>;
  /** Told of every write before anybody is told that it took place. */
  cache: Pick<ReadCache, 'invalidate'>;
  log: Logger;
}

export interface RunnerDeps extends JobsDeps {
  producer: Pick<Producer, 'add' | 'bringForward'>;
}

export interface ReconcilerDeps extends JobsDeps {
  producer: Pick<Producer, 'add' | 'unknown' | 'bringForward'>;
}

export interface SubmitterDeps extends JobsDeps {
  db: JobsDeps['db'] & Pick<Database, 'access'>;
  producer: Pick<Producer, 'add' | 'remove' | 'bringForward' | 'place'>;
  live: Pick<LiveStreams, 'publish' | 'watch' | 'ended'>;
  cache: Pick<ReadCache, 'read' | 'invalidate'>;
  cancels: CancelSender;
  /** How long this installation keeps what. */
  retention: RetentionOffer;
  /** What an account may use, as its record says and the installation; what the record says where absent. */
  limitsOf?: (account: AccountRecord | undefined) => AccountLimits;
}
