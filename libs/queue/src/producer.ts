import {
  type JobAtStep,
  type JobPriority,
  QUEUE_NAMES,
  QUEUE_PAYLOAD_VERSION,
  type QueueName,
  type QueuePayload,
  queueOf,
} from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import { Job, Queue } from 'bullmq';
import { type Backlog, backlogFrom } from './backlog.ts';
import { BACKLOG_SCRIPTS, type BacklogRedis, type BacklogTransaction, backlogKey } from './backlog-scripts.ts';
import { openFailFastConnection, type RedisConfig, waitUntilReady } from './connection.ts';
import { FAIR_SHARE_SCRIPTS, type FairRedis, type FairTransaction, tagsKey, UNTAGGED } from './fair-share-scripts.ts';
import { estimate, type Place } from './pace.ts';
import { PACE_SCRIPTS, type PaceRedis, paceKey, slotsKey } from './pace-scripts.ts';
import { createLateAdds, createUpkeep, type Upkeep } from './upkeep.ts';

/** A job, and what tells on which queue it travels. */
export interface JobReference extends JobAtStep {
  id: string;
}

/** A job as it stands in line: for its account, at `default` where nothing else is said, for a cost as of `costOf`, 1 if absent. */
export interface QueuedJob extends JobReference {
  account: string;
  priority?: JobPriority | undefined;
  cost?: number | undefined;
  /** What it adds to the backlog of its queue, as of `backlogOf`; 0 if absent. */
  backlog?: number | undefined;
}

export interface Producer extends Upkeep {
  /**
   * Puts a job's id on the queue of its kind and step, where its account's share comes to it (docs/adr/0010). An id that the queue knows
   * already is left as it is. Fails fast while Redis is away, and makes up for it as soon as Redis is back.
   */
  add(job: QueuedJob): Promise<void>;
  /** Does the queue know this job? */
  knows(job: JobReference): Promise<boolean>;
  /** Where a job stands; undefined where it does not wait in line: the queue keeps it for later, or does not know it. Fails fast while Redis is away. */
  place(job: JobReference): Promise<Place | undefined>;
  /** What waits in a queue. Fails fast while Redis is away. */
  backlog(queue: QueueName): Promise<Backlog>;
  /** Takes a job off its queue, if it waits there; its account's share is as if it had never been. */
  remove(job: JobReference): Promise<void>;
  /** Puts a webhook delivery's id on its queue. One that the queue keeps for later comes at once. */
  addDelivery(id: string): Promise<void>;
  /** Does the queue know this delivery, for now or for later? */
  knowsDelivery(id: string): Promise<boolean>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
  /** The queues themselves, for the operator's board. */
  queues: Record<QueueName, Queue<QueuePayload>>;
}

const READY_TIMEOUT_MS = 5_000;

/**
 * A queue holds ids only while they wait or run: MongoDB has the history. A finished id is forgotten at once, so that the same
 * id can be added again.
 */
export async function createProducer(config: RedisConfig, log: Logger): Promise<Producer> {
  const { QUEUE_PREFIX: prefix } = config;
  const scripts = { ...FAIR_SHARE_SCRIPTS, ...PACE_SCRIPTS, ...BACKLOG_SCRIPTS };
  const connection = openFailFastConnection(config, log, { scripts }) as FairRedis & PaceRedis & BacklogRedis;
  await waitUntilReady(connection, READY_TIMEOUT_MS);
  const open = (name: QueueName) => {
    const queue = new Queue<QueuePayload>(name, {
      connection,
      prefix,
      skipWaitingForReady: true,
      skipVersionCheck: true,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
      streams: { events: { maxLen: 1_000 } },
    });
    queue.on('error', (error) => log.debug({ err: error }, 'queue error'));
    return queue;
  };
  const queues = Object.fromEntries(QUEUE_NAMES.map((name) => [name, open(name)])) as Producer['queues'];
  const queueFor = (job: JobAtStep) => queues[queueOf(job)];
  let closed = false;

  /** One transaction: nobody sees the job without its tag, and an id that is known advances no clock. */
  async function add(queued: QueuedJob): Promise<void> {
    const { id, kind, step, account, priority = 'default', cost = 1, backlog = 0 } = queued;
    const queue = queueFor({ kind, step });
    const share = { account, priority, cost };
    const payload: QueuePayload = { v: QUEUE_PAYLOAD_VERSION, jobId: id, share };
    const job = new Job<QueuePayload>(queue, kind, payload, { ...queue.jobsOpts, jobId: id, priority: UNTAGGED }, id);
    const transaction = (await queue.backend.client).multi();
    await job.addJob(transaction);
    const lists = ['prioritized', 'wait', 'active', 'delayed'].map((list) => queue.toKey(list));
    const [prioritized, wait, active, delayed] = lists as [string, string, string, string];
    const keys = [tagsKey(prefix, queue.name), queue.toKey(id), prioritized, wait, active, delayed] as const;
    const scripted = transaction as unknown as FairTransaction & BacklogTransaction;
    scripted.fairTag(...keys, id, account, priority, cost);
    if (backlog > 0) scripted.backlogAdd(backlogKey(prefix, queue.name), prioritized, wait, id, backlog);
    const answers = await transaction.exec();
    for (const [error] of answers ?? []) {
      if (!error) continue;
      // In a transaction nobody tells Redis again which scripts it has forgotten; on a new connection they are told.
      if (error.message.includes('NOSCRIPT')) connection.disconnect(true);
      throw error;
    }
  }

  const addLater = createLateAdds(connection, add);

  return {
    ...createUpkeep(connection, queueFor),
    queues,
    async add(job) {
      await add(job).catch((error: unknown) => {
        addLater(job);
        throw error;
      });
    },
    async knows(job) {
      return (await queueFor(job).getJob(job.id)) !== undefined;
    },
    async place({ id, ...job }) {
      const queue = queueFor(job);
      const [prioritized, wait, active] = [queue.toKey('prioritized'), queue.toKey('wait'), queue.toKey('active')];
      const [pace, slots] = [paceKey(prefix, queue.name), slotsKey(prefix, queue.name)];
      const seen = await connection.pacePlace(prioritized, wait, active, pace, slots, id);
      return seen === null ? undefined : estimate(seen);
    },
    async backlog(name) {
      const queue = queues[name];
      const [prioritized, wait] = [queue.toKey('prioritized'), queue.toKey('wait')];
      const keys = [
        backlogKey(prefix, name),
        paceKey(prefix, name),
        slotsKey(prefix, name),
        prioritized,
        wait,
      ] as const;
      return backlogFrom(await connection.backlogRead(...keys));
    },
    async remove({ id, ...job }) {
      const queue = queueFor(job);
      const [prioritized, wait] = [queue.toKey('prioritized'), queue.toKey('wait')];
      await connection.fairGiveBack(tagsKey(prefix, queue.name), queue.toKey(id), prioritized, id);
      await queue.remove(id);
      await connection.backlogRemove(backlogKey(prefix, queue.name), prioritized, wait, id);
    },
    async addDelivery(id) {
      const entry = await queues.webhooks.add('delivery', { v: QUEUE_PAYLOAD_VERSION, jobId: id }, { jobId: id });
      // Meanwhile somebody else may have taken it off or brought it forward, which is all that is wanted.
      if (await entry.isDelayed()) await entry.promote().catch(() => {});
    },
    async knowsDelivery(id) {
      return (await queues.webhooks.getJob(id)) !== undefined;
    },
    async ping() {
      return (await connection.ping()) === 'PONG';
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.allSettled(Object.values(queues).map((queue) => queue.close()));
      connection.disconnect();
    },
  };
}
