import { setTimeout as sleep } from 'node:timers/promises';
import { AIGolosError, type ErasureResult, type JobUsage } from '@aigolos/contracts';
import type { Database, JobRecord, PostponedItem } from '@aigolos/db';
import { messageOf } from '@aigolos/runtime';
import { removeBackups, retryBackup } from './backup-removal.ts';
import { forEachWhileAnswered } from './job-removal.ts';
import { signReceipt, summarize } from './receipt.ts';
import {
  emptyAccount,
  type Remaining,
  type RemovalDeps,
  removeConversation,
  removeJob,
  removeJobData,
} from './removal.ts';
import { createRemovalLedger, type RemovalLedger } from './removal-ledger.ts';

export interface ErasureDeps extends Omit<RemovalDeps, 'ledger'> {
  db: RemovalDeps['db'] & Pick<Database, 'erasures'>;
  /** Where scheduled backups are. */
  backupDir?: string | undefined;
  /** For tests. */
  timing?: { runningWaitMs: number; keyWindowMs: number };
}

type Erasure = Pick<JobRecord<'erasure'>, '_id' | 'account' | 'task' | 'createdAt'>;
type Deps = ErasureDeps & { ledger: RemovalLedger };

const TIMING = {
  /** A job that was asked to stop mostly does so within a second, or at its next lease renewal. */
  runningWaitMs: 8_000,
  /** A gateway may take a withdrawn key for valid for a second; what came by it then is removed after this. */
  keyWindowMs: 2_000,
};
const LOOK_AGAIN_MS = 200;
const BATCH = 200;
/** So long the list of what was removed stays beside the receipt that was made of it. */
const LIST_KEPT_MS = 7 * 24 * 60 * 60_000;

/**
 * Makes the processor of jobs of the kind `erasure`: removes what the scope names and signs a receipt. Each id is written down
 * before its thing is removed, so that an erasure which another process goes on with gives the same receipt.
 * @throws AIGolosError `ERASURE_INCOMPLETE`, retryable, while something cannot be removed yet; the list of it is kept.
 */
export function createEraser(deps: ErasureDeps) {
  const { erasures } = deps.db;
  return async ({ job, signal }: { job: Erasure; signal: AbortSignal }) => {
    const context: Deps = { ...deps, ledger: createRemovalLedger(erasures, job._id) };
    await clear(context, job, signal);
    if (job.task.scope.type === 'account') await closeAccount(context, job, signal);
    const { _id: id, account, createdAt: requestedAt } = job;
    const removed = await summarize(erasures.items(id));
    const receipt = await signReceipt(deps.db, { id, account, scope: job.task.scope, requestedAt }, removed);
    await erasures.forgetAt(id, new Date(Date.now() + LIST_KEPT_MS));
    const counts = Object.fromEntries(Object.entries(removed).map(([kind, { count }]) => [kind, count]));
    const result: ErasureResult = { receipt, removed: counts };
    const usage: JobUsage = {};
    return { result, usage, warnings: [] as string[] };
  };
}

/** Removes all that the scope names, and what earlier attempts postponed. */
async function clear(deps: Deps, job: Erasure, signal: AbortSignal): Promise<void> {
  const { runningWaitMs } = deps.timing ?? TIMING;
  const deadline = Date.now() + runningWaitMs;
  let running = await removeScope(deps, job, signal);
  while (running.length > 0 && Date.now() < deadline) {
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
    running = await removeScope(deps, job, signal);
  }
  for (const { kind, what, reason } of running) {
    await deps.db.erasures.note(job._id, kind, [what]);
    await deps.ledger.postpone({ kind, item: what }, reason);
  }
  await retryPostponed(deps, job, signal);
  const [left] = await deps.db.erasures.postponed(job._id, 1);
  if (left) throw incomplete(left);
}

async function removeScope(
  deps: Deps,
  { account, task: { scope } }: Erasure,
  signal: AbortSignal,
): Promise<Remaining[]> {
  switch (scope.type) {
    case 'job':
      return removeJob(deps, account, scope.id);
    case 'conversation':
      return removeConversation(deps, scope.id, signal);
    case 'account':
      await removeBackups(deps, account);
      return emptyAccount(deps, account, signal);
  }
}

/** Goes through what earlier attempts postponed until a round gets nothing done. */
async function retryPostponed(deps: Deps, { _id: id, account }: Erasure, signal: AbortSignal): Promise<void> {
  const retry = async ({ kind, item }: PostponedItem) => {
    if (kind === 'backup') return retryBackup(deps, account, item);
    const job = await deps.db.jobs.find(item);
    if (job) throw new Error(`it is ${job.status}, and was asked to stop`);
    await removeJobData(deps, item);
    await deps.ledger.settle({ kind, item });
  };
  for (let done = 1; done > 0; ) {
    signal.throwIfAborted();
    const all = await deps.db.erasures.postponed(id, BATCH);
    const items = all.filter((item) => !deps.ledger.hasPostponed(item));
    done = await forEachWhileAnswered(items, retry, (item, error) => deps.ledger.postpone(item, messageOf(error)));
  }
}

/** What came by a key that was withdrawn is removed too, and then, once a look finds nothing more, the account itself. */
async function closeAccount(deps: Deps, job: Erasure, signal: AbortSignal): Promise<void> {
  await sleep((deps.timing ?? TIMING).keyWindowMs, undefined, { signal });
  for (let before = -1; before !== deps.ledger.noted; ) {
    before = deps.ledger.noted;
    await clear(deps, job, signal);
  }
  await deps.ledger.note('account', [job.account]);
  await deps.db.access.deleteAccount(job.account);
}

function incomplete({ kind, item, reason }: PostponedItem): AIGolosError {
  return new AIGolosError(`Not everything could be removed yet: ${kind} ${item}: ${reason}. It is tried again.`, {
    code: 'ERASURE_INCOMPLETE',
    retryable: true,
  });
}
