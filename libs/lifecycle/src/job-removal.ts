import { ID_PREFIXES, JOB_KINDS, type JobKind, NO_AMOUNTS, stepsOf, UnavailableError } from '@aigolos/contracts';
import type { AnyJobRecord, RunningJob } from '@aigolos/db';
import { cacheScope } from '@aigolos/queue';
import { messageOf } from '@aigolos/runtime';
import type { Remaining, RemovalDeps } from './removal.ts';
import { countUsageOf } from './usage.ts';
import { removeDeliveries } from './webhook-removal.ts';

type Job = Pick<AnyJobRecord, '_id' | 'kind' | 'account' | 'status' | 'reservation'>;

const AT_ONCE = 8;
const KIND_OF_PREFIX = new Map<string, JobKind>(JOB_KINDS.map((kind) => [ID_PREFIXES[kind], kind]));

/** Removes all that a job leaves beside its record. @throws UnavailableError, once every store was asked. */
export async function removeTraces(deps: RemovalDeps, id: string): Promise<void> {
  await all(deps, id, { ...storedTraces(deps, id), 'its webhooks': removeDeliveries(deps, { job: id }) });
}

/** The same without its webhooks: what does not lie in the database. */
export async function removeStoredTraces(deps: RemovalDeps, id: string): Promise<void> {
  await all(deps, id, storedTraces(deps, id));
}

function storedTraces(deps: RemovalDeps, id: string): Record<string, Promise<unknown> | undefined> {
  const kind = KIND_OF_PREFIX.get(id.slice(0, id.indexOf('_')));
  return {
    'its files': removeBlobs(deps, id),
    'its live stream': deps.live.remove(id),
    'its place on the queue': kind && removeFromQueues(deps, { id, kind }),
  };
}

/** Its record, which says at which step it is, may be gone. */
async function removeFromQueues({ producer }: RemovalDeps, { id, kind }: { id: string; kind: JobKind }): Promise<void> {
  for (const step of stepsOf(kind)) await producer.remove({ id, kind, step });
}

/**
 * Removes jobs that do not run, each after what belongs to it: what a killed process leaves undone is found again by the
 * record. Where a ledger is kept, what could not be removed is postponed and its record goes all the same.
 */
export async function removeIdleJobs(deps: RemovalDeps, jobs: Job[]): Promise<void> {
  if (jobs.length === 0) return;
  const { ledger, cache, db } = deps;
  for (const [kind, ofKind] of Map.groupBy(jobs, ({ kind }) => kind)) await ledger?.note(kind, ofKind.map(idOf));
  await forEachWhileAnswered(jobs, async (job) => removeTraces(deps, job._id), postponeIn(deps));
  // What they have used stays counted, and none goes before it is.
  await countUsageOf(deps, jobs.map(idOf));
  await db.jobs.deleteIdle(jobs.map(idOf));
  await releaseQuotas(deps, jobs);
  // Now that nobody can read the records into the cache again.
  const invalidated = cache?.invalidate(...answersAbout(jobs));
  await invalidated?.catch(async (error: unknown) => {
    for (const job of jobs) await postponeIn(deps)(job, error);
  });
}

/** What was set aside for jobs that will not be done. Of those that ended it is settled, or the reconciler does it. */
async function releaseQuotas({ db }: RemovalDeps, jobs: Job[]): Promise<void> {
  for (const { _id, account, status, reservation } of jobs) {
    if (status === 'queued' && reservation) await db.quotas.settle(account, _id, { reservation, used: NO_AMOUNTS });
  }
}

/** Answers kept for quick reading that tell of these jobs. */
export function answersAbout(jobs: Pick<Job, '_id' | 'account'>[]): string[] {
  const lists = new Set(jobs.map(({ account }) => cacheScope.jobsOf(account)));
  return [...lists, ...jobs.map(({ _id }) => cacheScope.job(_id))];
}

/**
 * Asks running jobs to stop. One whose worker is gone is put back to its queue instead, where it can be removed.
 * @returns those that still run.
 */
export async function stopJobs({ db, cancels }: RemovalDeps, jobs: RunningJob[]): Promise<Remaining[]> {
  const remaining: Remaining[] = [];
  for (const { _id, kind, fence, leaseUntil } of jobs) {
    if (leaseUntil && leaseUntil < new Date() && (await db.jobs.releaseExpired(_id, fence))) continue;
    await db.jobs.askToStop(_id);
    await cancels?.send(_id);
    remaining.push({ kind, what: _id, reason: 'it runs, and was asked to stop' });
  }
  return remaining;
}

/**
 * Does something to many, a few at once. Once all of those few have failed, the others are taken as failed too: a store that
 * does not answer is not asked a thousand times.
 * @returns how many succeeded.
 */
export async function forEachWhileAnswered<T>(
  items: T[],
  act: (item: T) => Promise<void>,
  onFailure: (item: T, error: unknown) => Promise<void>,
): Promise<number> {
  let outage: unknown;
  let done = 0;
  for (let start = 0; start < items.length; start += AT_ONCE) {
    const group = items.slice(start, start + AT_ONCE);
    const outcomes = await Promise.allSettled(group.map((item) => (outage ? Promise.reject(outage) : act(item))));
    const failures = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [{ item: group[index] as T, error: outcome.reason as unknown }] : [],
    );
    done += group.length - failures.length;
    if (failures.length === AT_ONCE) outage ??= failures[0]?.error;
    for (const { item, error } of failures) await onFailure(item, error);
  }
  return done;
}

/** Without a ledger a failure is thrown: the record is left, and by it all is found again. */
function postponeIn({ ledger }: RemovalDeps): (job: Job, error: unknown) => Promise<void> {
  return async ({ kind, _id: item }, error) => {
    if (!ledger) throw error;
    await ledger.postpone({ kind, item }, messageOf(error));
  };
}

/** Removes all blobs of a record, written down before where a ledger is kept. */
export async function removeBlobs({ blobs, ledger }: Pick<RemovalDeps, 'blobs' | 'ledger'>, id: string): Promise<void> {
  if (!ledger) return blobs.deleteRecord(id);
  const keys = await Array.fromAsync(blobs.list(id), ({ key }) => key);
  await ledger.note('file', keys);
  if (keys.length === 0) return;
  await blobs.deleteRecord(id);
  for await (const { key } of blobs.list(id)) throw new Error(`${key} was deleted and is still there`);
}

/** Awaits all steps. What is told of those that failed names no path, address or content. */
async function all(
  { log }: RemovalDeps,
  id: string,
  steps: Record<string, Promise<unknown> | undefined>,
): Promise<void> {
  const outcomes = await Promise.allSettled(
    Object.entries(steps).map(async ([what, step]) => {
      await step?.catch((error: unknown) => {
        log.warn({ id, err: error }, `${what} could not be removed`);
        throw error;
      });
      return what;
    }),
  );
  const failed = Object.keys(steps).filter((_, index) => outcomes[index]?.status === 'rejected');
  if (failed.length > 0) throw new UnavailableError(`${failed.join(', ')} could not be removed yet`);
}

function idOf({ _id }: Pick<Job, '_id'>): string {
  return _id;
}
