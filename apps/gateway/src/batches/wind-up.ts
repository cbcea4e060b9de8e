import { isFinal, NotFoundError } from '@aigolos/contracts';
import type { AnyJobRecord, Database } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import pMap from 'p-map';
import { waitPatiently } from '../answers/held-open.ts';
import { linesOf, parseLine } from './input-lines.ts';
import { type LineOutcome, notCalled, outcomeOf } from './line-outcome.ts';
import { type BatchRun, keyOfLine, type RunLinesDeps } from './run-lines.ts';

export interface WindUpDeps extends RunLinesDeps {
  jobs: Pick<Jobs, 'waitForEnd' | 'cancel'>;
  db: { jobs: Pick<Database['jobs'], 'linesOf' | 'find'> };
}

/** Workers stop within a second or so; a job whose worker is gone is not waited for. */
const STOP_WAIT_MS = 15_000;

/**
 * Stops the lines that are under way, and writes for all that are not done what came of them: those that were quicker to end
 * have their answer.
 */
export async function windUp(
  deps: WindUpDeps,
  { job, input, output, owner }: Omit<BatchRun, 'signal' | 'submit' | 'onProgress'>,
  end: 'cancelled' | 'expired',
): Promise<void> {
  const { jobs, db, linesAtOnce } = deps;
  const begun = new Map<string, string>();
  const running: string[] = [];
  for await (const line of db.jobs.linesOf(job._id)) {
    if (line.idempotencyKey !== undefined) begun.set(line.idempotencyKey, line._id);
    if (!isFinal(line.status)) running.push(line._id);
  }
  const cancel = (id: string) =>
    jobs.cancel(job.account, id).catch((error: unknown) => {
      // It has been erased meanwhile.
      if (!(error instanceof NotFoundError)) throw error;
    });
  await pMap(running, cancel, { concurrency: linesAtOnce });
  const until = AbortSignal.timeout(STOP_WAIT_MS);

  async function outcomeOfLine(number: number): Promise<LineOutcome> {
    const id = begun.get(keyOfLine(job, number));
    const found = id === undefined ? undefined : await db.jobs.find(id);
    if (!found) return notCalled(end);
    const ended = isFinal(found.status) ? found : await waitPatiently(jobs, found, until);
    return wasStopped(ended) ? notCalled(end) : outcomeOf(deps, ended, owner);
  }

  for await (const { number, text } of linesOf(input)) {
    if (output.isDone(number)) continue;
    const { custom_id: customId } = parseLine(text);
    await output.add({ number, customId }, await outcomeOfLine(number));
  }
}

function wasStopped({ status }: AnyJobRecord): boolean {
  return status === 'cancelled' || status === 'expired' || !isFinal(status);
}
