import { type BatchOutputLine, type BatchResult, type ChatCompletion, isFinal } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord } from '@aigolos/db';
import { sha256 } from '../load/answer.ts';
import type { BatchLine, BatchOperation } from '../load/batches.ts';
import { type Case, jobsOfLoad, type Rule, type Violation } from './case.ts';
import { bytesOf, contentOfFile, fileOf } from './files.ts';

/** Each line of a batch that was carried out, or cancelled meanwhile, is in one of its files, once, with what came of it. */
export const linesAreToldOnce: Rule = async (given) => {
  const violations: Violation[] = [];
  const jobs = new Map([...jobsOfLoad(given)].map(({ job, operation }) => [operation.id, job]));
  for (const { job, operation } of jobsOfLoad(given)) {
    if (job.kind !== 'batch' || operation.kind !== 'batch') continue;
    if (job.status !== 'completed' && job.status !== 'cancelled') continue;
    const found = job.result
      ? await wrongsOf({ given, batch: job, operation, jobs }, job.result)
      : [`is ${job.status} and has no result`];
    violations.push(...found.map((what) => ({ rule: 'batch', about: job._id, what })));
  }
  return violations;
};

interface Judged {
  given: Case;
  batch: JobRecord<'batch'>;
  operation: BatchOperation;
  /** By the id of what they were to do. */
  jobs: Map<string, AnyJobRecord>;
}

async function wrongsOf(judged: Judged, { outputFile, errorFile, counts, usage }: BatchResult): Promise<string[]> {
  const { given, operation, jobs } = judged;
  const wrongs: string[] = [];
  const output = linesIn(await contentOfFile(given, outputFile));
  const errors = linesIn(await contentOfFile(given, errorFile));
  const told = [...output, ...errors].map(({ custom_id: id }) => id).toSorted();
  const asked = operation.lines.map(({ id }) => id).toSorted();
  if (told.join() !== asked.join()) wrongs.push(`its files tell of ${told.join()}, not of ${asked.join()}`);
  const wanted = { total: asked.length, completed: output.length, failed: errors.length };
  if (JSON.stringify(wanted) !== JSON.stringify(counts)) wrongs.push(`it counts ${JSON.stringify(counts)}`);
  const planned = new Map(operation.lines.map((line) => [line.id, line]));
  for (const [isOutput, lines] of [
    [true, output],
    [false, errors],
  ] as const) {
    for (const line of lines) {
      const asking = planned.get(line.custom_id);
      const what = asking && (isOutput ? await wrongOutput(judged, line, asking) : wrongError(judged, line, asking));
      if (what !== undefined) wrongs.push(`line ${line.custom_id} ${what}: ${JSON.stringify(line).slice(0, 300)}`);
    }
  }
  for (const field of ['promptTokens', 'completionTokens', 'inputCharacters'] as const) {
    const used = output.reduce((sum, { custom_id: id }) => sum + (jobs.get(id)?.usage?.[field] ?? 0), 0);
    if (used !== (usage[field] ?? 0)) wrongs.push(`its lines have used ${used} ${field}, it says ${usage[field]}`);
  }
  return wrongs;
}

function linesIn(content: string): BatchOutputLine[] {
  return content
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as BatchOutputLine);
}

/** What stands in the file of answers must be the result of the line's own job, which another rule looks at. */
async function wrongOutput(
  { given, batch, jobs }: Judged,
  { custom_id: id, response, error }: BatchOutputLine,
  { isRefused }: BatchLine,
): Promise<string | undefined> {
  if (isRefused) return 'was not refused';
  const job = jobs.get(id);
  if (job?.status !== 'completed') return `has an answer, and its job is ${job?.status ?? 'not there'}`;
  if (response?.status_code !== 200 || response.request_id !== job._id || error) return `is not that of ${job._id}`;
  if (job.kind === 'chat') {
    const said = (response.body as ChatCompletion).choices[0]?.message.content;
    return said === job.result?.text ? undefined : `does not say "${job.result?.text}"`;
  }
  if (job.kind !== 'speech' || !job.result) return `has a job of kind ${job.kind}`;
  const file = fileOf(given, (response.body as { file_id: string }).file_id);
  if (file?.madeBy?.job !== batch._id) return 'has no file of its own';
  const [kept, spoken] = await Promise.all([file.blobKey, job.result.blobKey].map((key) => bytesOf(given, key)));
  const isSame = kept && spoken && sha256(kept) === sha256(spoken) && file.sha256 === sha256(spoken);
  return isSame ? undefined : 'has another file than what was spoken';
}

function wrongError(
  { batch, jobs }: Judged,
  { custom_id: id, response, error }: BatchOutputLine,
  { isRefused }: BatchLine,
): string | undefined {
  const status = jobs.get(id)?.status;
  // What was not called by then.
  if (batch.status === 'cancelled' && error?.code === 'batch_cancelled' && !response) {
    return status === undefined || status === 'cancelled' ? undefined : `was not done, and its job is ${status}`;
  }
  if (isRefused) return response?.status_code === 400 && !error ? undefined : 'was not refused as it must be';
  return status === 'failed' && response && response.status_code >= 400 ? undefined : `failed, its job is ${status}`;
}

/** A line's job bears the batch and the line in its key; one that is refused has none; and no batch leaves what nobody knows of. */
export const linesHaveTheirKeys: Rule = (given) => {
  const violations: Violation[] = [];
  const lines = new Map<string, { key: string; batch: string }>();
  for (const { job, operation } of jobsOfLoad(given)) {
    if (operation.kind !== 'batch') continue;
    for (const [place, { id, isRefused }] of operation.lines.entries()) {
      if (!isRefused) lines.set(id, { key: `batch:${job._id}:0:${place + 1}`, batch: job._id });
    }
  }
  const known = new Map([...jobsOfLoad(given)].map(({ job, operation }) => [job._id, operation.id]));
  for (const { _id: about, batch, idempotencyKey: key, status } of given.evidence.jobs.values()) {
    const line = lines.get(known.get(about) ?? '');
    if (batch === undefined && !line) continue;
    if (line?.batch !== batch || line?.key !== key) {
      violations.push({ rule: 'batch', about, what: `has the key ${key} of ${batch}, not ${line?.key}` });
    }
    const whole = given.evidence.jobs.get(batch ?? '');
    if (whole && isFinal(whole.status) && !isFinal(status)) {
      violations.push({ rule: 'batch', about, what: `is ${status}, and its batch has ended` });
    }
  }
  return violations;
};

/** What a batch has made is told of: by itself, or by one of its lines. */
export const madeFilesAreTold: Rule = async (given) => {
  const violations: Violation[] = [];
  for (const { _id, madeBy } of given.evidence.files) {
    if (!madeBy) continue;
    const batch = given.evidence.jobs.get(madeBy.job);
    const { outputFile, errorFile } = batch?.kind === 'batch' && batch.result ? batch.result : {};
    if (_id === outputFile || _id === errorFile) continue;
    if ((await contentOfFile(given, outputFile)).includes(`"${_id}"`)) continue;
    violations.push({ rule: 'file_left', about: madeBy.job, what: `file ${_id} that it made is told of nowhere` });
  }
  return violations;
};
