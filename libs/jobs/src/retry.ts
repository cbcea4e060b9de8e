import { ConflictError, NotFoundError } from '@aigolos/contracts';
import type { AnyJobRecord, Database } from '@aigolos/db';
import type { LiveStreams, Producer, ReadCache } from '@aigolos/queue';
import { type Logger, messageOf } from '@aigolos/runtime';
import { invalidateJob } from './cached.ts';
import { inLine } from './in-line.ts';
import { stepsDone } from './voice-turn.ts';

export interface RetryDeps {
  db: Pick<Database, 'jobs'>;
  producer: Pick<Producer, 'add'>;
  live: Pick<LiveStreams, 'remove'>;
  cache: Pick<ReadCache, 'invalidate'>;
  log: Logger;
}

/**
 * Sends a job that failed, expired or was cancelled back to its queue, as an operator may: its attempts count from zero, its
 * deadlines do not bind it any more, and its next end is told anew, under event ids of its own. A voice turn that failed goes
 * on with the step at which it did; any other job begins anew.
 * @throws NotFoundError; ConflictError where it cannot be, which says why.
 */
export async function retryJob(deps: RetryDeps, id: string): Promise<AnyJobRecord> {
  const { db, producer, live, cache, log } = deps;
  const job = await db.jobs.find(id);
  if (!job || (job.expiresAt && job.expiresAt <= new Date())) {
    throw new NotFoundError(`There is no job ${id}.`, { code: 'JOB_NOT_FOUND' });
  }
  const obstacle = await whyNot(db, job);
  if (obstacle !== undefined) throw cannot(id, obstacle);
  // What was told of the first run would be taken for news of the second.
  await live.remove(id).catch(() => {});
  const from = stepsDone(job);
  if (!(await db.jobs.requeueEnded(id, job.fence, from)))
    throw cannot(id, 'it was changed at the same moment; look at it again');
  await invalidateJob(cache, job);
  const { step: _failed, ...anew } = job;
  await producer.add(inLine(from ? { ...anew, step: from.step } : anew)).catch((error: unknown) => {
    log.warn({ jobId: id, reason: messageOf(error) }, 'the queue is away; the reconciler will add this job');
  });
  return (await db.jobs.find(id)) ?? job;
}

async function whyNot(db: RetryDeps['db'], job: AnyJobRecord): Promise<string | undefined> {
  const { status, conversation, turn } = job;
  if (status !== 'failed' && status !== 'expired' && status !== 'cancelled') {
    return `it is ${status}; only one that failed, expired or was cancelled can`;
  }
  if (job.kind === 'erasure') return 'an erasure is asked for anew instead';
  if (job.inputDeletedAt || job.removing) return 'its input has been deleted';
  if (job.webhooksPending) return 'its end is just being told; try again in some seconds';
  if (conversation !== undefined && turn !== undefined && (await db.jobs.hasLaterTurn(conversation, turn))) {
    return `it is turn ${turn} of conversation ${conversation}, which has gone on since; send its messages as a new turn`;
  }
  return undefined;
}

function cannot(id: string, why: string): ConflictError {
  return new ConflictError(`Job ${id} cannot be sent back to its queue: ${why}.`, { code: 'JOB_NOT_RETRYABLE' });
}
