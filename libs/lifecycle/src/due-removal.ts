import type { EndedJob, IdleConversation, StoredFiles } from '@aigolos/db';
import { answersAbout, forEachWhileAnswered, removeStoredTraces } from './job-removal.ts';
import { type RemovalDeps, removeJobData, removeTurns } from './removal.ts';

/** The job of a turn that was taken follows within this time, or never. */
const TURN_GRACE_MS = 60_000;
const ANY_TURN = Number.MAX_SAFE_INTEGER;

/** How many files a job has, as whoever wanted to remove it first has found them. */
export async function filesOf({ blobs }: RemovalDeps, { _id, removing }: EndedJob): Promise<StoredFiles> {
  if (removing) return removing;
  const found: StoredFiles = { files: 0, bytes: 0 };
  for await (const { bytes } of blobs.list(_id)) {
    found.files += 1;
    found.bytes += bytes;
  }
  return found;
}

/**
 * Removes a job that has ended: its files first, so that what a killed process leaves is found again by the record.
 * @returns the files that it had, to one caller in all.
 */
export async function removeEndedJob(deps: RemovalDeps, job: EndedJob): Promise<StoredFiles | undefined> {
  const { db, cache } = deps;
  const { _id: id, account } = job;
  const seen = await filesOf(deps, job);
  // Written down before the first of them goes, so that all who remove this job at once tell the same of it.
  const found = job.removing ?? (await db.jobs.noteRemoval(id, seen));
  await removeJobData(deps, id);
  if (!(await db.jobs.deleteFinal(account, id))) return undefined;
  await cache?.invalidate(...answersAbout([job]));
  return found;
}

/**
 * The same of many, which costs the database little more than one. What cannot be removed does not keep the others from it.
 * @returns how many were there to be removed, each counted by one caller in all. @throws the first error, once the rest is gone.
 */
export async function removeEndedJobs(deps: RemovalDeps, jobs: EndedJob[]): Promise<number> {
  const { db, cache } = deps;
  await db.webhooks.deleteDeliveriesOfJobs(jobs.map(({ _id }) => _id));
  const gone: EndedJob[] = [];
  const failures: unknown[] = [];
  const remove = async (job: EndedJob) => {
    const seen = await filesOf(deps, job);
    if (seen.files > 0 && !job.removing) await db.jobs.noteRemoval(job._id, seen);
    await removeStoredTraces(deps, job._id);
    gone.push(job);
  };
  await forEachWhileAnswered(jobs, remove, async (_, error) => void failures.push(error));
  const removed = await db.jobs.deleteEnded(gone.map(({ _id }) => _id));
  await cache?.invalidate(...answersAbout(gone));
  if (failures.length > 0) throw failures[0];
  return removed;
}

/** Is no turn of this conversation waiting, running, or about to? */
export async function isIdle({ db }: RemovalDeps, { _id, turnTakenAt }: IdleConversation): Promise<boolean> {
  if (turnTakenAt && Date.now() - turnTakenAt.getTime() < TURN_GRACE_MS) return false;
  return !(await db.jobs.hasEarlierTurn(_id, ANY_TURN));
}

/**
 * Removes a conversation that is idle: it is closed, so that no turn begins any more, then what was said in it goes, and its
 * record last. @returns whether it was removed, `true` to one caller in all.
 */
export async function removeIdleConversation(deps: RemovalDeps, conversation: IdleConversation): Promise<boolean> {
  const { conversations } = deps.db;
  if (!(await isIdle(deps, conversation)) || !(await conversations.close(conversation))) return false;
  const remaining = await removeTurns(deps, conversation._id);
  return remaining.length === 0 && conversations.delete(conversation._id);
}
