import {
  type FinalStatus,
  isFinal,
  type JobEventType,
  newId,
  type WebhookEvent,
  type WebhookEventType,
} from '@aigolos/contracts';
import type { Database, JobNewsFields, WebhookDeliveryRecord, WebhookEndpointRecord } from '@aigolos/db';
import type { Producer } from '@aigolos/queue';
import { type Logger, messageOf } from '@aigolos/runtime';
import { type Failures, toError } from './in-batches.ts';

export interface WebhookDeps {
  db: Pick<Database, 'jobs' | 'webhooks'>;
  producer: Pick<Producer, 'addDelivery'>;
  log: Logger;
}

const DAY_MS = 24 * 60 * 60_000;
/** How long a row is kept: longer than its last retry, and long enough to be looked into and replayed. */
const DELIVERY_KEPT_MS = 30 * DAY_MS;
/** A row that is made by the reaction is not made a second time by the sweep. */
const PENDING_GRACE_MS = 5_000;
const BATCH = 500;

/** Who gets an event: an endpoint, or a URL that the job's own request named. */
type Receiver = Pick<WebhookEndpointRecord, 'url'> & { endpoint?: string };

/**
 * Makes the rows that tell the accounts of jobs of their end, and puts them on their queue. Their ids are derived from job, event
 * and receiver, so that doing it again changes nothing. A job that was erased meanwhile tells nobody.
 * @returns of each job the error that kept it from being told. @throws where the database does not answer.
 */
export async function announceJobEnds(deps: WebhookDeps, jobIds: readonly string[]): Promise<Failures> {
  const ended = (await deps.db.jobs.newsOf(jobIds)).filter(({ status }) => isFinal(status));
  const failures = await announceAll(deps, ended, (job) => `job.${job.status as FinalStatus}`);
  const told = ended.flatMap(({ _id }) => (failures.has(_id) ? [] : [_id]));
  if (told.length > 0) await deps.db.jobs.clearWebhooksPending(told);
  return failures;
}

/** Tells those who asked for it that work on jobs has begun; of several attempts the first is told. See {@link announceJobEnds}. */
export async function announceJobStarts(deps: WebhookDeps, jobIds: readonly string[]): Promise<Failures> {
  const started = (await deps.db.jobs.newsOf(jobIds)).filter(({ startedAt }) => startedAt);
  return announceAll(deps, started, () => 'job.started');
}

/** Makes up for ends that nobody reacted to. @returns how many. @throws the first error, once all others of its turn are told. */
export async function announcePending(deps: WebhookDeps, signal: AbortSignal): Promise<number> {
  let announced = 0;
  for (;;) {
    signal.throwIfAborted();
    const ids = await deps.db.jobs.webhooksPending(new Date(Date.now() - PENDING_GRACE_MS), BATCH);
    for (const error of (await announceJobEnds(deps, ids)).values()) throw error;
    announced += ids.length;
    if (ids.length < BATCH) return announced;
  }
}

/** Sends an endpoint an event that means nothing, so that its author sees whether it arrives. */
export async function announceTest(deps: WebhookDeps, endpoint: WebhookEndpointRecord): Promise<WebhookDeliveryRecord> {
  const now = new Date();
  const event = toEvent({ id: newId('webhookEvent'), type: 'endpoint.test', at: now, data: { id: endpoint._id } });
  const row = toDelivery(event, { account: endpoint.account, receiver: { url: endpoint.url, endpoint: endpoint._id } });
  await send(deps, [row]);
  return row;
}

/** Sends an endpoint what waited for it. */
export async function resumeDeliveries(deps: WebhookDeps, account: string, endpoint: string): Promise<void> {
  await deps.db.webhooks.hastenDeliveries(account, endpoint);
  await enqueuePending(deps, account, endpoint);
}

/** Sends a delivery again, under the id of its event, whatever became of it. */
export async function replayDelivery(deps: WebhookDeps, account: string, id: string): Promise<void> {
  await deps.db.webhooks.replayDelivery(account, id, new Date(Date.now() + DELIVERY_KEPT_MS));
  await enqueueDeliveries(deps, [id]);
}

/** Sends an endpoint again what was settled of its events since then. @returns how many. */
export async function replaySince(
  deps: WebhookDeps,
  { account, endpoint }: { account: string; endpoint: string },
  since: Date,
): Promise<number> {
  const now = new Date();
  const expiresAt = new Date(now.getTime() + DELIVERY_KEPT_MS);
  const replayed = await deps.db.webhooks.replayDeliveries({ account, endpoint, from: since, to: now }, expiresAt);
  await enqueuePending(deps, account, endpoint);
  return replayed;
}

/** What is past the first ones is found by the deliverers' own search. */
async function enqueuePending(deps: WebhookDeps, account: string, endpoint: string): Promise<void> {
  const ids: string[] = [];
  for await (const { _id } of deps.db.webhooks.pendingDeliveries(account, endpoint)) {
    if (ids.push(_id) === BATCH) break;
  }
  await enqueueDeliveries(deps, ids);
}

/** Puts rows on the queue. A queue that is away is made up for by the deliverers' own search for what is due. */
async function enqueueDeliveries({ producer, log }: WebhookDeps, ids: string[]): Promise<void> {
  for (const id of ids) {
    await producer.addDelivery(id).catch((error: unknown) => {
      log.debug({ delivery: id, reason: messageOf(error) }, 'the queue is away; the delivery is found when it is due');
    });
  }
}

/** Of the lines of a batch its own end tells. Most jobs have nobody to be told, and cost nothing more than the two reads. */
async function announceAll(
  deps: WebhookDeps,
  jobs: JobNewsFields[],
  typeOf: (job: JobNewsFields) => JobEventType,
): Promise<Failures> {
  const failures = new Map<string, Error>();
  const tellable = jobs.filter(({ batch }) => batch === undefined);
  if (tellable.length === 0) return failures;
  const accounts = [...new Set(tellable.map(({ account }) => account))];
  const endpoints = await deps.db.webhooks.endpointsFor(accounts, [...new Set(tellable.map(typeOf))]);
  for (const job of tellable) {
    const type = typeOf(job);
    const asked = endpoints.filter(({ account, events }) => account === job.account && events.includes(type));
    const receivers: Receiver[] = asked.map(({ _id, url }) => ({ endpoint: _id, url }));
    if (job.webhookUrl !== undefined && type !== 'job.started') receivers.push({ url: job.webhookUrl });
    if (receivers.length === 0) continue;
    await announce(deps, { job, type, receivers }).catch(
      (error: unknown) => void failures.set(job._id, toError(error)),
    );
  }
  return failures;
}

async function announce(
  deps: WebhookDeps,
  { job, type, receivers }: { job: JobNewsFields; type: JobEventType; receivers: Receiver[] },
): Promise<void> {
  const started = type === 'job.started';
  const event = toEvent({
    // A job that an operator sent back after its end has another end, which is another event.
    id: `evt_${job._id}_${type.slice('job.'.length)}${started || !job.retries ? '' : `_${job.retries + 1}`}`,
    type,
    at: (started ? job.startedAt : job.finishedAt) ?? new Date(),
    data: { id: job._id, kind: job.kind, status: started ? 'in_progress' : job.status },
  });
  const rows = receivers.map((receiver) =>
    toDelivery(event, { account: job.account, receiver, job: job._id, order: started ? 0 : 1 }),
  );
  await send(deps, rows);
}

async function send(deps: WebhookDeps, rows: WebhookDeliveryRecord[]): Promise<void> {
  await deps.db.webhooks.insertDeliveries(rows);
  await enqueueDeliveries(
    deps,
    rows.map(({ _id }) => _id),
  );
}

function toEvent({
  id,
  type,
  at,
  data,
}: {
  id: string;
  type: WebhookEventType;
  at: Date;
  data: WebhookEvent['data'];
}): WebhookEvent {
  const timestamp = at.toISOString();
  return { id, object: 'event', type, created_at: Math.floor(at.getTime() / 1_000), timestamp, data };
}

function toDelivery(
  event: WebhookEvent,
  { account, receiver, job, order = 0 }: { account: string; receiver: Receiver; job?: string; order?: number },
): WebhookDeliveryRecord {
  const now = new Date();
  return {
    _id: `whd_${event.id.slice('evt_'.length)}_${receiver.endpoint ?? 'url'}`,
    account,
    event: event.id,
    type: event.type,
    ...(job !== undefined && { job }),
    ...receiver,
    order,
    body: JSON.stringify(event),
    status: 'pending',
    attempts: [],
    nextAttemptAt: now,
    fence: 0,
    createdAt: now,
    expiresAt: new Date(now.getTime() + DELIVERY_KEPT_MS),
  };
}
