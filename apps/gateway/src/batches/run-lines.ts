import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobStore } from '@aigolos/blob-store';
import { AIGolosError, isFinal, isRetryable } from '@aigolos/contracts';
import { type AnyJobRecord, isDatabaseUnavailable, type JobRecord } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import { backoffMs, type Logger } from '@aigolos/runtime';
import pMap from 'p-map';
import { waitPatiently } from '../answers/held-open.ts';
import type { SubmissionOptions } from '../answers/submission-options.ts';
import type { BatchOutput } from './batch-output.ts';
import { type InputLine, linesOf, parseLine } from './input-lines.ts';
import { assertWhole, type SubmitLine } from './line-calls.ts';
import { failed, type LineOutcome, type OutcomeDeps, type OutputOwner, outcomeOf } from './line-outcome.ts';

export interface RunLinesDeps extends OutcomeDeps {
  jobs: Pick<Jobs, 'waitForEnd'>;
  blobs: BlobStore;
  /** Lines of one batch that are submitted and have not ended. */
  linesAtOnce: number;
  log: Logger;
}

export interface BatchRun {
  job: JobRecord<'batch'>;
  input: FileHandle;
  output: BatchOutput;
  owner: OutputOwner;
  submit: SubmitLine;
  /** Aborts when no more lines are to be begun, and those that are under way are not waited for. */
  signal: AbortSignal;
  onProgress(): void;
}

/** What nobody foresaw, such as a store of files that is away, is no answer of a line before it has come so often. */
const UNKNOWN_TRIES = 5;
const AGAIN = { baseMs: 250, maxMs: 10_000 };

/**
 * Runs the lines that are not done, some at once, in their order. When it returns or throws none is under way any more.
 * @throws the signal's reason once it aborts.
 */
export async function runLines(deps: RunLinesDeps, run: BatchRun): Promise<void> {
  const failing = new AbortController();
  const signal = AbortSignal.any([run.signal, failing.signal]);
  const underWay = new Set<Promise<void>>();
  const begin = (line: InputLine) => {
    const done = runLine(deps, { ...run, signal }, line).finally(() => underWay.delete(done));
    underWay.add(done);
    return done;
  };
  try {
    await pMap(undone(run, signal), begin, { concurrency: deps.linesAtOnce });
  } finally {
    // Those that were under way beside one that failed: a line that is submitted or told of now would be so once more.
    failing.abort();
    await Promise.allSettled(underWay);
  }
}

async function* undone({ input, output }: BatchRun, signal: AbortSignal): AsyncGenerator<InputLine> {
  for await (const line of linesOf(input)) {
    signal.throwIfAborted();
    if (!output.isDone(line.number)) yield line;
  }
}

async function runLine(deps: RunLinesDeps, run: BatchRun, { number, text }: InputLine): Promise<void> {
  const { custom_id: customId, body } = parseLine(text);
  const { output, signal } = run;
  const outcome = await untilAnswered(signal, async (attempt) => {
    try {
      assertWhole(body);
      const { account } = run.job;
      const { job } = await run.submit({ account, body, options: optionsOf(run.job, number) });
      return await waitFor(deps, job as AnyJobRecord, run);
    } catch (error) {
      if (signal.aborted || mayPass(error) || (attempt < UNKNOWN_TRIES && !(error instanceof AIGolosError)))
        throw error;
      if (!(error instanceof AIGolosError)) deps.log.error({ err: error, line: number }, 'a line of a batch failed');
      return failed(error, `${run.job._id}_${number}`);
    }
  });
  await output.add({ number, customId }, outcome);
  run.onProgress();
}

async function waitFor(deps: RunLinesDeps, job: AnyJobRecord, { signal, owner }: BatchRun): Promise<LineOutcome> {
  const ended = await waitPatiently(deps.jobs, job, signal);
  // A line has the time of its batch. Whoever ended it saw the window end, which may be a moment before it does here.
  if (ended.status === 'expired' && !signal.aborted) await once(signal, 'abort');
  if (!isFinal(ended.status) || ended.status === 'expired') throw signal.reason;
  return outcomeOf(deps, ended, owner);
}

/** A store that is away comes back: a line has as much time as its batch. */
async function untilAnswered<T>(signal: AbortSignal, act: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await act(attempt);
    } catch {
      if (signal.aborted) throw signal.reason;
      await sleep(backoffMs(attempt, AGAIN), undefined, { signal }).catch(() => {});
    }
  }
}

function mayPass(error: unknown): boolean {
  return isDatabaseUnavailable(error) || (error instanceof AIGolosError && isRetryable(error));
}

/** A batch that an operator sent back after its end has its lines done anew. */
export function keyOfLine({ _id, retries = 0 }: Pick<JobRecord, '_id' | 'retries'>, number: number): string {
  return `batch:${_id}:${retries}:${number}`;
}

function optionsOf(job: JobRecord<'batch'>, number: number): SubmissionOptions {
  const { input, result, output } = job.retention ?? {};
  return {
    ...(job.apiKey !== undefined && { apiKey: job.apiKey }),
    idempotencyKey: keyOfLine(job, number),
    terms: {
      batch: job._id,
      priority: job.priority ?? 'low',
      retention: { input, result, output },
      startWithinSeconds: undefined,
      finishWithinSeconds: Math.max(1, (job.task.windowEndsAt - Date.now()) / 1_000),
      webhookUrl: undefined,
    },
    reuse: { allowed: true, offered: true },
  };
}
