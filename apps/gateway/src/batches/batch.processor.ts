import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  type BatchCheckpoint,
  BatchCheckpointSchema,
  type BatchProblem,
  type BatchResult,
  type FinalStatus,
  NotFoundError,
  toJobFailure,
  ValidationError,
} from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { isCancelled, type JobContext, type Processed, type Processor } from '@aigolos/jobs';
import type { Files } from '../routes/files/files.service.ts';
import { type BatchOutputOptions, createBatchOutput, type OutputForm } from './batch-output.ts';
import { checkInput } from './input-lines.ts';
import type { SubmitLine } from './line-calls.ts';
import type { OutputOwner } from './line-outcome.ts';
import { type BatchRun, runLines } from './run-lines.ts';
import { type WindUpDeps, windUp } from './wind-up.ts';

export interface BatchDeps extends Omit<WindUpDeps, 'log'> {
  files: Pick<Files, 'get' | 'keepMade'>;
  calls: Readonly<Record<string, SubmitLine>>;
}

type Context = JobContext<'batch'>;

/** Timers count with 31 bits. */
const TIMER_MOST_MS = 2 ** 31 - 1;

/**
 * Makes the processor of batches: it looks at the whole input, makes each line a job of its own, under a key that follows from the
 * line, and collects what comes of them. Whoever goes on with it finds the jobs of the lines by their keys.
 */
export function createBatchProcessor(deps: BatchDeps): Processor<'batch'> {
  return async (context) => {
    const { job } = context;
    const { inputFile, endpoint } = job.task;
    const submit = deps.calls[endpoint];
    if (!submit) throw new ValidationError(`endpoint: ${endpoint} cannot be called here.`, { param: 'endpoint' });
    const file = await deps.files.get(job.account, inputFile).catch((error: unknown) => {
      throw error instanceof NotFoundError ? inputIsGone(inputFile) : error;
    });
    return deps.blobs.withLocalFile(file.blobKey, async (path) => {
      const input = await open(path);
      try {
        return await process({ ...deps, log: context.log }, { context, input, submit });
      } finally {
        await input.close();
      }
    });
  };
}

async function process(
  deps: BatchDeps & Pick<Context, 'log'>,
  { context, input, submit }: { context: Context; input: FileHandle; submit: SubmitLine },
): Promise<Processed<'batch'>> {
  const { job, signal } = context;
  const kept = BatchCheckpointSchema.safeParse(job.checkpoint);
  const state = kept.success ? kept.data : nothingDone();
  // The record cannot be told any more once the attempt was stopped; what is not there yet is collected again then.
  const keep = (news: BatchCheckpoint) =>
    context.checkpointNow(news).catch((error: unknown) => {
      if (error !== signal.reason) throw error;
    });
  const output = createBatchOutput({ job, state, blobs: deps.blobs, keep });
  const owner: OutputOwner = { madeBy: { job: job._id, fence: job.fence }, expiry: job.task.outputExpiry };
  if (state.counts.total === 0) {
    const { total, problems } = await checkInput(input, job.task);
    if (problems.length > 0) return refused(problems);
    state.counts.total = total;
    context.checkpoint(structuredClone(state));
  }

  const window = new AbortController();
  const timer = setTimeout(() => window.abort(), Math.min(TIMER_MOST_MS, job.task.windowEndsAt - Date.now()));
  const onProgress = () => context.reportProgress((state.counts.completed + state.counts.failed) / state.counts.total);
  const run: BatchRun = {
    job,
    input,
    output,
    owner,
    submit,
    onProgress,
    signal: AbortSignal.any([signal, window.signal]),
  };
  let end: FinalStatus = 'completed';
  try {
    await runLines(deps, run);
    await output.flush();
  } catch (error) {
    if (!run.signal.aborted || (signal.aborted && !isCancelled(signal))) throw error;
    end = signal.aborted ? 'cancelled' : 'expired';
    await windUp(deps, run, end);
  } finally {
    clearTimeout(timer);
  }
  return conclude(deps, { job, output, owner, keep }, end);
}

/** Makes the files of all pieces, and the result that names them. */
async function conclude(
  { blobs, files }: BatchDeps,
  { job, output, owner, keep }: Pick<BatchRun, 'job' | 'output' | 'owner'> & { keep: BatchOutputOptions['keep'] },
  status: FinalStatus,
): Promise<Processed<'batch'>> {
  const { state } = output;
  const finalizingAt = Date.now();
  state.finalizingAt = finalizingAt;
  await output.flush();
  await keep(structuredClone(state));

  async function fileOf(form: OutputForm): Promise<string | undefined> {
    if (state.pieces.every((pieces) => pieces[form] === 0)) return undefined;
    const file = await blobs.receive(Readable.from(output.content(form)), { maxBytes: Number.POSITIVE_INFINITY });
    const id = fileIdOf(job, form);
    await files.keepMade(file, { id, account: job.account, filename: `${job._id}_${form}.jsonl`, ...owner });
    return id;
  }

  const outputFile = await fileOf('output');
  const errorFile = await fileOf('error');
  const result: BatchResult = {
    counts: state.counts,
    ...(outputFile !== undefined && { outputFile }),
    ...(errorFile !== undefined && { errorFile }),
    usage: state.usage,
    problems: [],
    finalizingAt,
  };
  return { result, usage: {}, warnings: [], status };
}

/** None of the lines is run where one of them is wrong, so that nobody finds half of his work done. */
function refused(problems: BatchProblem[]): Processed<'batch'> {
  const [first] = problems;
  const where = first?.line === null || !first ? '' : `Line ${first.line}: `;
  const error = new ValidationError(`${where}${first?.message ?? 'The input is not valid.'}`, {
    param: 'input_file_id',
  });
  const counts = { total: 0, completed: 0, failed: 0 };
  const result: BatchResult = { counts, usage: {}, problems };
  return { result, usage: {}, warnings: [], status: 'failed', failure: toJobFailure(error) };
}

function nothingDone(): BatchCheckpoint {
  return { version: 1, counts: { total: 0, completed: 0, failed: 0 }, done: [], pieces: [], usage: {} };
}

/** A batch has one of each, however often it is concluded. */
function fileIdOf({ _id }: Pick<JobRecord, '_id'>, form: OutputForm): string {
  return `file_${_id.slice(_id.indexOf('_') + 1)}${form === 'output' ? 'o' : 'e'}`;
}

function inputIsGone(id: string): ValidationError {
  return new ValidationError(`File ${id} is not there any more.`, { code: 'FILE_NOT_FOUND', param: 'input_file_id' });
}
