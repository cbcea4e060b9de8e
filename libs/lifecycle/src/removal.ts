import type { BlobStore } from '@aigolos/blob-store';
import { ID_PREFIXES, JOB_KINDS, type JobKind } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';
import type { LiveStreams, Producer } from '@aigolos/queue';
import type { Logger } from '@aigolos/runtime';

/** What a receipt counts. */
export type RemovedKind = JobKind | 'conversation' | 'message' | 'api_key' | 'account';

export interface RemovalDeps {
  db: Pick<Database, 'jobs' | 'conversations' | 'access'>;
  blobs: Pick<BlobStore, 'deleteRecord'>;
  producer: Pick<Producer, 'remove'>;
  live: Pick<LiveStreams, 'remove'>;
  /** Answers kept for quick reading. */
  cache?: { invalidate(...scopes: string[]): Promise<void> };
  /** Asks workers to stop; without it they see the wish when they next renew their lease. */
  cancels?: { send(jobId: string): Promise<void> };
  log: Logger;
  /** Told what is about to be removed, before it is. */
  note?: (kind: RemovedKind, ids: string[]) => Promise<void>;
}

/** Something that could not be removed yet, and why. */
export interface Remaining {
  what: string;
  reason: string;
}

type Owner = { account: string } | { conversation: string };

const BATCH = 200;
const AT_ONCE = 8;
const KIND_OF_PREFIX = new Map<string, JobKind>(JOB_KINDS.map((kind) => [ID_PREFIXES[kind], kind]));

/**
 * Removes what belongs to a job beside its record: files, live stream, its place on a queue. The record may be gone
 * already: the id is enough. Harmless twice. @throws where a store does not answer; what it reached is gone all the same.
 */
export async function removeJobData({ blobs, producer, live, cache }: RemovalDeps, id: string): Promise<void> {
  const kind = KIND_OF_PREFIX.get(id.slice(0, id.indexOf('_')));
  const steps = [blobs.deleteRecord(id), live.remove(id)];
  if (cache) steps.push(cache.invalidate(`job:${id}`));
  if (kind) steps.push(producer.remove({ id, kind }));
  await all(steps);
}

/**
 * Removes a conversation, its messages, its chat jobs and what belongs to those. Its record goes first, so that no turn
 * can begin any more; it may be gone already. Harmless twice.
 * @returns its jobs that still run: they were asked to stop, and go the next time.
 */
export async function removeConversation(deps: RemovalDeps, id: string, signal?: AbortSignal): Promise<Remaining[]> {
  await deps.note?.('conversation', [id]);
  await deps.db.conversations.delete(id);
  const remaining = await removeJobs(deps, { conversation: id }, signal);
  await removeMessages(deps, id, signal);
  await deps.cache?.invalidate(`conversation:${id}`);
  return remaining;
}

/**
 * Removes everything that an account has, itself last, once nothing else is left; the records of its erasures stay, being
 * the proof. Keys go first, so that nothing new comes. Harmless twice, and where the account is gone already.
 * @returns what still runs: it was asked to stop, and goes, with the account, the next time.
 */
export async function removeAccount(deps: RemovalDeps, id: string, signal?: AbortSignal): Promise<Remaining[]> {
  const { access, conversations } = deps.db;
  await deps.note?.('api_key', await access.keyIds(id));
  await access.deleteKeys(id);
  const remaining = await removeJobs(deps, { account: id }, signal);
  for (;;) {
    signal?.throwIfAborted();
    const ids = await conversations.idsOf(id, BATCH);
    if (ids.length === 0) break;
    for (const conversation of ids) remaining.push(...(await removeConversation(deps, conversation, signal)));
  }
  await deps.cache?.invalidate(`jobs-of:${id}`);
  if (remaining.length > 0) return remaining;
  await deps.note?.('account', [id]);
  await access.deleteAccount(id);
  return [];
}

/** Removes the jobs that do not run, with what belongs to them, and asks the others to stop. */
async function removeJobs(deps: RemovalDeps, owner: Owner, signal?: AbortSignal): Promise<Remaining[]> {
  const { jobs } = deps.db;
  for (;;) {
    signal?.throwIfAborted();
    const idle = await jobs.idleOf(owner, BATCH);
    if (idle.length === 0) break;
    for (const [kind, ids] of Map.groupBy(idle, ({ kind }) => kind)) {
      await deps.note?.(
        kind,
        ids.map(({ _id }) => _id),
      );
    }
    // Files before records: what a killed process leaves undone is found again by its record.
    for (let start = 0; start < idle.length; start += AT_ONCE) {
      await all(idle.slice(start, start + AT_ONCE).map(({ _id }) => removeJobData(deps, _id)));
    }
    await jobs.deleteIdle(idle.map(({ _id }) => _id));
  }
  return stopRunning(deps, owner);
}

async function stopRunning({ db, cancels }: RemovalDeps, owner: Owner): Promise<Remaining[]> {
  const running = await db.jobs.runningOf(owner, BATCH);
  for (const { _id, fence, leaseUntil } of running) {
    // One whose worker is gone goes back to the queue, and is removed from there.
    if (leaseUntil && leaseUntil < new Date()) await db.jobs.releaseExpired(_id, fence);
    else await db.jobs.askToStop(_id);
    await cancels?.send(_id);
  }
  return running.map(({ _id }) => ({ what: _id, reason: 'it runs; it was asked to stop' }));
}

async function removeMessages(deps: RemovalDeps, conversation: string, signal?: AbortSignal): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const ids = await deps.db.conversations.messageIds(conversation, BATCH);
    if (ids.length === 0) return;
    await deps.note?.('message', ids);
    await deps.db.conversations.deleteMessages(ids);
  }
}

/** Awaits all, and only then fails with the first error: one store that is away does not keep the others' data. */
async function all(steps: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(steps)).find((step) => step.status === 'rejected');
  if (failed) throw failed.reason;
}
