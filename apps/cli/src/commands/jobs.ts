import { JOB_KINDS, JOB_STATUSES, type JobKind, type JobStatus } from '@aigolos/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { milliseconds } from './milliseconds.ts';

interface ListOptions {
  status?: JobStatus;
  kind?: JobKind;
  account?: string;
  olderThan?: number;
  limit: number;
  json?: true;
}

const LIST_LIMIT = 50;
const MOST_LISTED = 10_000;

/** `aigolos jobs list|show|retry|cancel`: what an operator sees of jobs, which is never what was said in them, and may do. */
export function addJobsCommand(program: Command): void {
  const jobs = program.command('jobs').description('look after the jobs of an installation');
  jobs
    .command('list')
    .description('list jobs of all accounts, newest first')
    .addOption(new Option('--status <status>', 'in this state alone').choices(JOB_STATUSES))
    .addOption(new Option('--kind <kind>', 'of this kind alone').choices(JOB_KINDS))
    .option('--account <name>', 'of this account alone: its name or its id')
    .option('--older-than <time>', 'submitted so long ago or longer, such as 10m, 12h or 7d', milliseconds)
    .option('--limit <n>', 'at most so many', limit, LIST_LIMIT)
    .option('--json', 'a line of JSON a job')
    .action(async ({ olderThan, ...options }: ListOptions) => {
      const createdBefore = olderThan === undefined ? undefined : new Date(Date.now() - olderThan);
      const { listJobs } = await import('../jobs/list-jobs.ts');
      await listJobs({ ...options, createdBefore });
    });
  jobs
    .command('show')
    .description('show a job: its attempts, its place in the queue, its files and its webhooks')
    .argument('<id>', 'such as trn_…')
    .option('--json', 'for machines')
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      const { showJob } = await import('../jobs/show-job.ts');
      await showJob(id, { json });
    });
  for (const [name, description] of [
    ['retry', 'send jobs back to their queue that failed, expired or were cancelled'],
    ['cancel', 'cancel jobs that wait or run; harmless after their end'],
  ] as const) {
    jobs
      .command(name)
      .description(description)
      .argument('<ids...>', 'one or more, such as trn_…')
      .option('--json', 'a line of JSON a job')
      .action(async (ids: string[], { json = false }: { json?: boolean }) => {
        const { changeJobs } = await import('../jobs/change-jobs.ts');
        await changeJobs(name, ids, { json });
      });
  }
}

function limit(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_LISTED)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_LISTED}.`);
  return count;
}
