import type { JobRecord } from '@aigolos/db';
import { cacheScope, type ReadCache } from '@aigolos/queue';

/** What a list of an account's jobs, or a figure made of them, depends on. */
export function listScopes(account: string): string[] {
  return [cacheScope.jobsOf(account), cacheScope.allLists];
}

/** After a write to a job, and before anybody is told of it. A turn moves its conversation too. Never fails. */
export function invalidateJob(
  cache: Pick<ReadCache, 'invalidate'>,
  { _id: id, account, conversation }: Pick<JobRecord, '_id' | 'account' | 'conversation'>,
): Promise<void> {
  const conversations = conversation === undefined ? [] : [cacheScope.conversation(conversation)];
  return cache.invalidate(cacheScope.job(id), cacheScope.jobsOf(account), ...conversations);
}
