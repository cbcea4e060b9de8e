import { AIGolosError, DEFAULT_RETENTION, isFinal, JOB_KINDS, LIMITS } from '@aigolos/contracts';
import type { AnyJobRecord } from '@aigolos/db';
import { createJobs, retryJob } from '@aigolos/jobs';
import { createCancelSender, createReadCache } from '@aigolos/queue';
import { CliError } from '../cli-error.ts';
import { type Installation, withInstallation } from '../open-installation.ts';
import { createReporter } from '../output/reporter.ts';
import { noSuchJob } from './no-such-job.ts';

type Change = (id: string, account: string) => Promise<AnyJobRecord>;

/** Retries or cancels jobs, one after another, and prints what became of each. Exit code 1 where one could not be. */
export async function changeJobs(what: 'retry' | 'cancel', ids: string[], { json }: { json: boolean }): Promise<void> {
  await withInstallation((installation) => changeAll(installation, what, [...new Set(ids)], json), { redis: true });
}

async function changeAll(
  installation: Installation,
  what: 'retry' | 'cancel',
  ids: string[],
  json: boolean,
): Promise<void> {
  const { change, close } = await openChanges(installation);
  const reporter = createReporter();
  try {
    for (const id of ids) {
      const outcome = await changeOne(installation, id, change[what]);
      if ('error' in outcome) process.exitCode = 1;
      if (json) console.log(JSON.stringify({ id, ...outcome }));
      else if ('error' in outcome) reporter.fail(id, outcome.error);
      else reporter.ok(id, inWords(what, outcome.status));
    }
  } finally {
    await close();
  }
}

async function changeOne(
  { db }: Installation,
  id: string,
  change: Change,
): Promise<{ status: AnyJobRecord['status'] } | { error: string }> {
  try {
    const job = await db.inspection.job(id);
    if (!job) throw noSuchJob(id);
    if (!JOB_KINDS.includes(job.kind)) throw new CliError(`Its kind, ${job.kind}, belongs to a later version.`);
    return { status: (await change(id, job.account)).status };
  } catch (error) {
    // One that is refused keeps none of the others from being changed; a database that is away does.
    if (error instanceof CliError || (error instanceof AIGolosError && !error.retryable)) {
      return { error: error.message };
    }
    throw error;
  }
}

/** The ways of the gateway, so that queue, engine, cached answers and those who watch get to know. Without Redis the record alone does. */
async function openChanges(installation: Installation): Promise<{
  change: { retry: Change; cancel: Change };
  close: () => Promise<void>;
}> {
  const { db, log, redis } = installation;
  const nothing = () => Promise.resolve();
  const cache = redis && (await createReadCache(redis.config, log));
  const cancels = redis && createCancelSender(redis.config, log);
  const deps = {
    db,
    log,
    producer: redis?.producer ?? { add: nothing, remove: nothing, bringForward: nothing, place: async () => undefined },
    live: redis?.live ?? { publish: nothing, remove: nothing, watch: nobody, ended: nobody },
    cache: cache ?? {
      read: <T>(_scopes: string[], _key: string, load: () => Promise<T>) => load(),
      invalidate: nothing,
    },
    cancels: cancels ?? { send: nothing, close: nothing },
    retention: { defaults: DEFAULT_RETENTION, maxSeconds: LIMITS.retentionSeconds },
  };
  const jobs = createJobs(deps);
  return {
    change: { retry: (id) => retryJob(deps, id), cancel: (id, account) => jobs.cancel(account, id) },
    close: async () => {
      await cancels?.close();
      await cache?.close();
    },
  };
}

async function* nobody(): AsyncGenerator<never> {}

function inWords(what: 'retry' | 'cancel', status: AnyJobRecord['status']): string {
  if (what === 'retry') return 'is back in its queue';
  if (status === 'cancelled') return 'cancelled';
  return isFinal(status) ? `has ended already: ${status}` : 'runs, and was asked to stop';
}
