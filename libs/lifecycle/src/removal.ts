import type { BlobStore } from '@aigolos/blob-store';
import type { Database } from '@aigolos/db';
import { cacheScope, type LiveStreams, type Producer } from '@aigolos/queue';
import type { Logger } from '@aigolos/runtime';
import { removeFilesMadeBy, removeFilesOf } from './file-removal.ts';
import { type Failures, toError } from './in-batches.ts';
import { forEachWhileAnswered, removeIdleJobs, removeStoredTraces, removeTraces, stopJobs } from './job-removal.ts';
import type { RemovalLedger } from './removal-ledger.ts';
import { removeWebhooks } from './webhook-removal.ts';

export interface RemovalDeps {
  db: Pick<Database, 'jobs' | 'conversations' | 'access' | 'files' | 'uploads' | 'webhooks' | 'usage' | 'quotas'>;
  blobs: Pick<BlobStore, 'deleteRecord' | 'list'>;
  producer: Pick<Producer, 'remove'>;
  live: Pick<LiveStreams, 'remove'>;
  /** Answers kept for quick reading. */
  cache?: { invalidate(...scopes: string[]): Promise<void> };
  /** Asks workers to stop; without it they see the wish when they next renew their lease. */
  cancels?: { send(jobId: string): Promise<void> };
  log: Logger;
  /** Where an erasure keeps account of what it removes. */
  ledger?: RemovalLedger;
}

/** Something that could not be removed yet, and why. */
export interface Remaining {
  kind: string;
  what: string;
  reason: string;
}

type Owner = { account: string } | { conversation: string } | { batch: string };

const BATCH = 200;

/**
 * Removes what belongs to a job beside its record: files, live stream, its place on a queue, webhooks, cached answers. The record may
 * be gone already: the id is enough. Harmless twice.
 * @throws UnavailableError where a store does not answer; what lies in the others is gone all the same.
 */
export async function removeJobData(deps: RemovalDeps, id: string): Promise<void> {
  await Promise.all([removeTraces(deps, id), deps.cache?.invalidate(cacheScope.job(id))]);
}

/**
 * The same of many jobs that are gone, and of the lists that they stood in, whosever those are: what belongs to one that cannot be
 * removed does not keep the others'. @returns why it could not, by job. @throws where the database or the cache does not answer.
 */
export async function removeDataOfJobs(deps: RemovalDeps, ids: readonly string[]): Promise<Failures> {
  const failures: Failures = new Map();
  const remove = (id: string) => removeStoredTraces(deps, id);
  await forEachWhileAnswered([...ids], remove, async (id, error) => void failures.set(id, toError(error)));
  await deps.db.webhooks.deleteDeliveriesOfJobs([...ids]);
  await deps.cache?.invalidate(cacheScope.allLists, ...ids.map(cacheScope.job));
  return failures;
}

/**
 * Removes a job with what belongs to it: of a batch also its lines and the files that it made. What runs is asked to stop, and is
 * returned: it goes the next time.
 */
export async function removeJob(deps: RemovalDeps, account: string, id: string): Promise<Remaining[]> {
  for (;;) {
    const job = await deps.db.jobs.find(id);
    if (job?.account !== account) return [];
    if (job.status === 'in_progress') {
      const remaining = await stopJobs(deps, [job]);
      if (remaining.length > 0) return remaining;
    } else {
      const lines = job.kind === 'batch' ? await removeJobs(deps, { batch: id }) : [];
      if (lines.length > 0) return lines;
      if (job.kind === 'batch') await removeFilesMadeBy(deps, id);
      // A worker may take it in this moment; then it is still there.
      await removeIdleJobs(deps, [job]);
    }
  }
}

/**
 * Removes a conversation, its messages, its chat jobs and what belongs to those. It is closed first, so that no turn begins any
 * more and nobody reads it; its record, which may be gone already, goes last. Harmless twice.
 * @returns its jobs that still run: they were asked to stop, and go, with the record, the next time.
 */
export async function removeConversation(deps: RemovalDeps, id: string, signal?: AbortSignal): Promise<Remaining[]> {
  const { db, ledger } = deps;
  if (await db.conversations.closeToErase(id)) await ledger?.note('conversation', [id]);
  const remaining = await removeTurns(deps, id, signal);
  if (remaining.length > 0) return remaining;
  await db.conversations.delete(id);
  // A turn that ended in this moment may have written its messages while the record was still there.
  await removeMessages(deps, id, signal);
  return [];
}

/** Removes what was said in a conversation: its chat jobs, what belongs to those, and its messages. Harmless twice. */
export async function removeTurns(deps: RemovalDeps, id: string, signal?: AbortSignal): Promise<Remaining[]> {
  await deps.cache?.invalidate(cacheScope.conversation(id));
  const remaining = await removeJobs(deps, { conversation: id }, signal);
  await removeMessages(deps, id, signal);
  return remaining;
}

/**
 * Removes everything that an account has: keys first, so that nothing new comes. The account itself stays, and so do the
 * records of its erasures, being the proof. Harmless twice, and where the account is gone already.
 * @returns what still runs: it was asked to stop, and goes the next time.
 */
export async function emptyAccount(deps: RemovalDeps, id: string, signal?: AbortSignal): Promise<Remaining[]> {
  const { access } = deps.db;
  await deps.ledger?.note('api_key', await access.keyIds(id));
  await access.deleteKeys(id);
  // Before the other jobs, so that no turn begins meanwhile.
  const remaining = await removeConversations(deps, id, signal);
  remaining.push(...(await removeJobs(deps, { account: id }, signal)));
  // After the jobs, which make files too.
  await removeFilesOf(deps, id, signal);
  await removeWebhooks(deps, id);
  // Once no job is there that could be counted.
  await Promise.all([deps.db.usage.deleteOf(id), deps.db.quotas.deleteOf(id)]);
  await deps.cache?.invalidate(cacheScope.jobsOf(id));
  return [...new Map(remaining.map((one) => [one.what, one])).values()];
}

async function removeConversations(deps: RemovalDeps, account: string, signal?: AbortSignal): Promise<Remaining[]> {
  const remaining: Remaining[] = [];
  for (let last: string | undefined; ; ) {
    signal?.throwIfAborted();
    const ids = await deps.db.conversations.idsOf(account, { limit: BATCH, after: last });
    for (const id of ids) remaining.push(...(await removeConversation(deps, id, signal)));
    if (ids.length < BATCH) return remaining;
    last = ids.at(-1);
  }
}

/** Removes everything that an account has, and then the account itself, once nothing else is left. See {@link emptyAccount}. */
export async function removeAccount(deps: RemovalDeps, id: string, signal?: AbortSignal): Promise<Remaining[]> {
  const remaining = await emptyAccount(deps, id, signal);
  if (remaining.length === 0) await deps.db.access.deleteAccount(id);
  return remaining;
}

async function removeJobs(deps: RemovalDeps, owner: Owner, signal?: AbortSignal): Promise<Remaining[]> {
  for (;;) {
    signal?.throwIfAborted();
    const idle = await deps.db.jobs.idleOf(owner, BATCH);
    await removeIdleJobs(deps, idle);
    if (idle.length > 0) continue;
    const running = await deps.db.jobs.runningOf(owner, BATCH);
    const remaining = await stopJobs(deps, running);
    if (remaining.length === running.length) return remaining;
  }
}

async function removeMessages({ db, ledger }: RemovalDeps, conversation: string, signal?: AbortSignal): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const ids = await db.conversations.messageIds(conversation, BATCH);
    if (ids.length === 0) return;
    await ledger?.note('message', ids);
    await db.conversations.deleteMessages(ids);
  }
}
