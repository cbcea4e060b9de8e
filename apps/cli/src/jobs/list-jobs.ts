import type { JobKind, JobStatus } from '@aigolos/contracts';
import type { ListedJob } from '@aigolos/db';
import { CliError } from '../cli-error.ts';
import { type Installation, withInstallation } from '../open-installation.ts';
import { timeInWords } from './in-words.ts';

export interface JobListOptions {
  status?: JobStatus | undefined;
  kind?: JobKind | undefined;
  /** Its name or its id. */
  account?: string | undefined;
  createdBefore?: Date | undefined;
  limit: number;
  json?: boolean | undefined;
}

/** Prints one line a job, newest first, and to stderr whether there are more. */
export async function listJobs({ account, json, limit, ...asked }: JobListOptions): Promise<void> {
  await withInstallation(async ({ db }) => {
    const id = account === undefined ? undefined : await accountId(db, account);
    const jobs = await db.inspection.jobs({ ...asked, account: id, limit: limit + 1 });
    for (const job of jobs.slice(0, limit)) console.log(json ? JSON.stringify(toSummary(job)) : inOneLine(job));
    if (jobs.length === 0) console.error('there is no such job');
    if (jobs.length > limit) console.error(`there are more than these ${limit}: see --limit and the other options`);
  });
}

async function accountId(db: Installation['db'], named: string): Promise<string> {
  const account = (await db.access.findAccount(named)) ?? (await db.access.accountById(named));
  if (!account) throw new CliError(`There is no account named "${named}", and none with this id.`);
  return account._id;
}

/** What a list tells of a job to machines; times are ISO 8601. */
export function toSummary({ _id: id, task, failure, metadata: _metadata, warnings, ...job }: ListedJob) {
  const { kind, step, account, status, priority, progress, attempt, crashes, conversation, turn } = job;
  const { createdAt, queuedAt, startedAt, finishedAt, expiresAt, reusedFrom } = job;
  return {
    id,
    kind,
    step: step ?? null,
    status,
    account,
    model: task?.model ?? null,
    priority: priority ?? 'default',
    progress,
    attempt,
    crashes,
    error: failure ? { code: failure.code, message: failure.message } : null,
    warnings: warnings.length,
    conversation: conversation ?? null,
    turn: turn ?? null,
    reusedFrom: reusedFrom ?? null,
    createdAt,
    queuedAt,
    startedAt: startedAt ?? null,
    finishedAt: finishedAt ?? null,
    expiresAt: expiresAt ?? null,
  };
}

function inOneLine(job: ListedJob): string {
  const age = timeInWords(Date.now() - job.createdAt.getTime());
  const tries = job.attempt > 1 || job.crashes > 0 ? `attempt ${job.attempt}` : '';
  const columns = [job._id.padEnd(37), job.kind.padEnd(13), job.status.padEnd(11), age.padStart(8), job.account];
  return [...columns, job.task?.model, tries, job.failure?.code]
    .filter((column) => column !== undefined && column !== '')
    .join('  ');
}
