import { isFinal, type JobEventType, newId, type WebhookEvent, type WebhookEventType } from '@aigolos/contracts';
import { type Database, type JobNewsFields, type WebhookDeliveryRecord, type WebhookEndpointRecord } from '@aigolos/db';
import type { Producer } from '@aigolos/queue';
import { type Logger, messageOf } from '@aigolos/runtime';

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
 * Makes the rows that tell a job's account of its end, and puts them on their queue. Their ids are derived from job, event
 * and receiver, so that doing it again changes nothing. A job that was erased meanwhile tells nobody.
 */
export async function announceJobEnd(deps: WebhookDeps, jobId: string): Promise<void> {
  const job = await deps.db.jobs.newsOf(jobId);
  if (!job || !isFinal(job.status)) return;
  // Of the lines of a batch its own end tells.
  if (job.batch === undefined) await announce(deps, job, `job.${job.status}`);
  await deps.db.jobs.clearWebhooksPending(jobId);
}

/** Tells those who asked for it that work on a job has begun; of several attempts the first is told. */
export async function announceJobStart(deps: WebhookDeps, jobId: string): Promise<void> {
  const job = await deps.db.jobs.newsOf(jobId);
  if (job?.startedAt && job.batch === undefined) await announce(deps, job, 'job.started');
}

/** Makes up for ends that nobody reacted to. @returns how many. */
export async function announcePending(deps: WebhookDeps, signal: AbortSignal): Promise<number> {
  let announced = 0;
  for (;;) {
    signal.throwIfAborted();
    const ids = await deps.db.jobs.webhooksPending(new Date(Date.now() - PENDING_GRACE_MS), BATCH);
    for (const id of ids) {
      signal.throwIfAborted();
      await announceJobEnd(deps, id);
    }
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

async function announce(deps: WebhookDeps, job: JobNewsFields, type: JobEventType): Promise<void> {
  const endpoints = await deps.db.webhooks.endpointsFor(job.account, type);
  const receivers: Receiver[] = endpoints.map(({ _id, url }) => ({ endpoint: _id, url }));
  if (job.webhookUrl !== undefined && type !== 'job.started') receivers.push({ url: job.webhookUrl });
  if (receivers.length === 0) return;
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
