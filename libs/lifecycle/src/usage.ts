import { hasMade, isMetered, type JobUsage, type MeteredKind, type UsageService } from '@aigolos/contracts';
import type { Database, UnmeteredJob, UsageRecord } from '@aigolos/db';

export interface UsageDeps {
  db: Pick<Database, 'jobs' | 'usage' | 'access'>;
}

const BATCH = 1_000;
const DAY_SECONDS = 24 * 60 * 60;

/**
 * Writes what jobs that ended have used into rows that stay when the jobs go, each once: many at a time, which costs the database
 * little more than one. @returns how many jobs were counted.
 */
export async function countUsage(deps: UsageDeps, signal: AbortSignal): Promise<number> {
  for (let counted = 0; ; ) {
    signal.throwIfAborted();
    const jobs = await deps.db.jobs.usagePending({ limit: BATCH });
    await count(deps, jobs);
    counted += jobs.length;
    if (jobs.length < BATCH) return counted;
  }
}

/** The same of these jobs, so that they may go. */
export async function countUsageOf(deps: UsageDeps, ids: string[]): Promise<void> {
  await count(deps, await deps.db.jobs.usagePending({ limit: ids.length, ids }));
}

/** What is older than so many days is counted no more. @returns how many rows went. */
export function forgetUsage({ db }: UsageDeps, days: number): Promise<number> {
  return db.usage.deleteBefore(Math.floor(Date.now() / 1_000) - days * DAY_SECONDS);
}

async function count({ db }: UsageDeps, jobs: UnmeteredJob[]): Promise<void> {
  if (jobs.length === 0) return;
  await db.usage.record(jobs.flatMap(usageRowsOf));
  const left = await db.jobs.clearUsagePending(jobs.map(({ _id }) => _id));
  if (left === jobs.length) return;
  // Some were removed meanwhile, maybe with their account, whose usage was removed before these rows were written.
  for (const account of new Set(jobs.map((job) => job.account))) {
    if (!(await db.access.accountById(account))) await db.usage.deleteOf(account);
  }
}

interface ServiceUse {
  service: UsageService;
  model: string;
  usage: JobUsage;
}

/** One row for each service that a job used. A voice turn uses three, and is one request, of the first. */
function usageRowsOf(job: UnmeteredJob): UsageRecord[] {
  const { _id, kind, account, apiKey, batch, finishedAt = new Date(), retries = 0 } = job;
  if (!isMetered(kind)) return [];
  const end = retries === 0 ? _id : `${_id}:${retries}`;
  return servicesOf(kind, job).map(({ service, model, usage }, index) => ({
    _id: index === 0 ? end : `${end}:${service}`,
    account,
    ...(apiKey !== undefined && { apiKey }),
    kind,
    service,
    model,
    batch: batch !== undefined,
    at: Math.floor(finishedAt.getTime() / 1_000),
    requests: index === 0 && hasMade(job.status) ? 1 : 0,
    audioSeconds: usage.audioSeconds ?? 0,
    characters: usage.inputCharacters ?? 0,
    inputTokens: usage.promptTokens ?? 0,
    outputTokens: usage.completionTokens ?? 0,
    computeMs: usage.computeMs ?? 0,
  }));
}

function servicesOf(kind: MeteredKind, { task, usage = {} }: UnmeteredJob): ServiceUse[] {
  const { audioSeconds, inputCharacters, promptTokens, completionTokens, computeMs } = usage;
  const heard = { ...(audioSeconds !== undefined && { audioSeconds }) };
  const spoken = { ...(inputCharacters !== undefined && { inputCharacters }) };
  const answered = {
    ...(promptTokens !== undefined && { promptTokens }),
    ...(completionTokens !== undefined && { completionTokens }),
  };
  // Of a turn nobody knows which step took how much of it.
  const compute = { ...(computeMs !== undefined && { computeMs }) };
  const { model, transcription, speech } = task;
  switch (kind) {
    case 'transcription':
    case 'translation':
      return [{ service: 'audio_transcriptions', model, usage: { ...heard, ...compute } }];
    case 'speech':
      return [{ service: 'audio_speeches', model, usage: { ...spoken, ...compute } }];
    case 'voice-turn':
      return [
        { service: 'audio_transcriptions', model: transcription?.model ?? model, usage: { ...heard, ...compute } },
        { service: 'completions', model, usage: answered },
        { service: 'audio_speeches', model: speech?.model ?? model, usage: spoken },
      ];
    case 'chat':
    case 'response':
      return [{ service: 'completions', model, usage: { ...answered, ...compute } }];
  }
}
