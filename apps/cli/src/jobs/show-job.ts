import { withInstallation } from '../open-installation.ts';
import { momentInWords, timeInWords } from './in-words.ts';
import { noSuchJob } from './no-such-job.ts';
import { inspectJob, type JobInspection, type PlaceSeen } from './view-job.ts';

/** Prints what is known of a job. @throws CliError where there is none. */
export async function showJob(id: string, { json }: { json: boolean }): Promise<void> {
  const job = await withInstallation((installation) => inspectJob(installation, id), { redis: true });
  if (!job) throw noSuchJob(id);
  if (json) return console.log(JSON.stringify(job, null, 2));
  console.log(`${job.id}: ${job.kind}, ${job.status}`);
  for (const [name, detail] of linesOf(job)) console.log(`  ${name.padEnd(12)} ${detail}`);
}

function* linesOf(job: JobInspection): Generator<[name: string, detail: string]> {
  yield ['account', job.username === null ? job.account : `${job.account} (${job.username})`];
  if (job.model !== null) yield ['model', job.model];
  if (job.conversation !== null) yield ['conversation', `${job.conversation}, turn ${job.turn ?? 'none'}`];
  yield ['created', momentInWords(job.createdAt)];
  if (job.startedAt) yield ['started', momentInWords(job.startedAt)];
  if (job.finishedAt) yield ['finished', momentInWords(job.finishedAt)];
  if (job.expiresAt) yield ['deleted', momentInWords(job.expiresAt)];
  if (job.startBy) yield ['start by', momentInWords(job.startBy)];
  if (job.finishBy) yield ['finish by', momentInWords(job.finishBy)];
  yield ['priority', job.priority];
  yield ['progress', `${Math.round(job.progress * 100)} %`];
  yield ['queue', placeInWords(job.queue)];
  if (job.lease) yield ['lease', leaseInWords(job.lease)];
  if (job.cancelRequestedAt) yield ['cancel asked', momentInWords(job.cancelRequestedAt)];
  yield ['attempts', `${job.attempt}${job.crashes > 0 ? `, of which ${job.crashes} lost their worker` : ''}`];
  for (const attempt of job.attempts) yield ['', attemptInWords(attempt)];
  if (job.checkpoint) yield ['checkpoint', figures(job.checkpoint)];
  if (job.error) yield ['error', `${job.error.code}: ${job.error.message}`];
  if (job.warnings > 0) yield ['warnings', String(job.warnings)];
  if (job.reusedFrom !== null) yield ['reused from', job.reusedFrom];
  if (job.messagesPending) yield ['messages', 'not written to its conversation yet'];
  if (job.webhooksPending) yield ['webhooks', 'not made yet'];
  for (const { key, bytes } of job.files) yield ['file', `${key}, ${bytes} bytes`];
  if (job.inputDeletedAt) yield ['input', `deleted ${momentInWords(job.inputDeletedAt)}`];
  if (job.outputDeletedAt) yield ['output', `deleted ${momentInWords(job.outputDeletedAt)}`];
  for (const webhook of job.webhooks) yield ['webhook', webhookInWords(webhook)];
}

function placeInWords(place: PlaceSeen): string {
  switch (place.state) {
    case 'waiting':
      return `waits in ${place.queue}, ${place.position} before it`;
    case 'delayed':
      return `kept by ${place.queue} until ${momentInWords(place.until)}`;
    case 'active':
      return `a worker of ${place.queue} has it`;
    case 'unknown':
      return 'no queue knows it';
    case 'no_redis_known':
      return 'no Redis is known: name it in REDIS_URL';
    case 'redis_away':
      return 'Redis does not answer';
  }
}

function leaseInWords({ until, worker }: NonNullable<JobInspection['lease']>): string {
  const held = until > new Date() ? 'until' : 'ran out';
  return `${held} ${momentInWords(until)}${worker === null ? '' : `, of ${worker}`}`;
}

function attemptInWords(attempt: JobInspection['attempts'][number]): string {
  const { fence, worker, startedAt, endedAt, outcome, error } = attempt;
  const took = endedAt ? `, ${timeInWords(endedAt.getTime() - startedAt.getTime())}` : '';
  const end = outcome ?? 'has not ended';
  return `fence ${fence}: ${startedAt.toISOString()}${took}, ${end}${error === null ? '' : ` (${error})`}, ${worker}`;
}

function webhookInWords({ id, type, status, attempts, lastError, nextAttemptAt }: JobInspection['webhooks'][number]) {
  const next = nextAttemptAt ? `, next ${momentInWords(nextAttemptAt)}` : '';
  return `${id}: ${type}, ${status} after ${attempts} attempts${next}${lastError === null ? '' : `; ${lastError}`}`;
}

function figures(values: Record<string, number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
