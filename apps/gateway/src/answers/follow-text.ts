import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyJobRecord, isDatabaseUnavailable, type JobRecord } from '@aigolos/db';
import type { JobNews, Jobs } from '@aigolos/jobs';
import { createTextFollower } from './text-follower.ts';

export type TextNews =
  /** `fence` is that of the attempt which said it. */
  | { type: 'text'; text: string; fence: number }
  /** The last one: the job has ended, and all of its text was told. */
  | { type: 'ended'; job: JobRecord<'chat'> | JobRecord<'response'> }
  /** The last one: what was told already is not how the text begins that the job has now. */
  | { type: 'diverged' };

const DATABASE_RETRY_MS = 500;

/** What a chat or a response says while it runs, told once each, whatever attempts and outages it takes. Ends early with the signal. */
export async function* followText(jobs: Jobs, job: AnyJobRecord, signal: AbortSignal): AsyncGenerator<TextNews> {
  const follower = createTextFollower();
  for await (const news of watchPatiently(jobs, job, signal)) {
    if (news.type === 'checkpoint') continue;
    if (news.type === 'again') {
      follower.restart();
      continue;
    }
    const ended = news.type === 'ended' ? (news.job as JobRecord<'chat'> | JobRecord<'response'>) : undefined;
    if (ended && !ended.result) return yield { type: 'ended', job: ended };
    const text = news.type === 'delta' ? follower.push(news) : follower.finish(ended?.result?.text ?? '');
    if (text === undefined) return yield { type: 'diverged' };
    const { fence } = news.type === 'delta' ? news : news.job;
    if (text !== '') yield { type: 'text', text, fence };
    if (ended) return yield { type: 'ended', job: ended };
  }
}

/** What a job that runs would be gone on with from, as far as the database tells now. */
export async function checkpointPatiently(jobs: Pick<Jobs, 'checkpointOf'>, job: JobRecord): Promise<unknown> {
  return jobs.checkpointOf(job.account, job._id).catch((error: unknown) => {
    if (!isDatabaseUnavailable(error)) throw error;
    return undefined;
  });
}

/** Goes on, from the first piece, after a database that was away. */
export async function* watchPatiently(
  jobs: Jobs,
  job: AnyJobRecord,
  signal: AbortSignal,
): AsyncGenerator<JobNews | { type: 'again' }> {
  while (!signal.aborted) {
    try {
      return yield* jobs.watch(job.account, job._id, signal);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      await sleep(DATABASE_RETRY_MS, undefined, { signal }).catch(() => {});
      yield { type: 'again' };
    }
  }
}
