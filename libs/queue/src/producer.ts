import { JOB_CATALOGUE, type JobKind, QUEUE_NAMES, type QueueName, type QueuePayload } from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import { Queue } from 'bullmq';
import { openFailFastConnection, type RedisConfig, waitUntilReady } from './connection.ts';

export interface JobReference {
  id: string;
  kind: JobKind;
}

export interface Producer {
  /** Puts a job's id on the queue of its kind. An id that the queue knows already is left as it is. Fails fast while Redis is away. */
  add(job: JobReference): Promise<void>;
  /** Does the queue know this job? */
  knows(job: JobReference): Promise<boolean>;
  /** Takes a job off its queue, if it waits there. */
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
  const connection = openFailFastConnection(config, log);
  await waitUntilReady(connection, READY_TIMEOUT_MS);
  const open = (name: QueueName) => {
    const queue = new Queue<QueuePayload>(name, {
      connection,
      prefix: config.QUEUE_PREFIX,
      skipWaitingForReady: true,
      skipVersionCheck: true,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
      streams: { events: { maxLen: 1_000 } },
    });
    queue.on('error', (error) => log.debug({ err: error }, 'queue error'));
    return queue;
  };
  const queues = Object.fromEntries(QUEUE_NAMES.map((name) => [name, open(name)])) as Producer['queues'];
  const queueOf = (kind: JobKind) => queues[JOB_CATALOGUE[kind].queue];
  let closed = false;

  return {
    queues,
    async add({ id, kind }) {
      await queueOf(kind).add(kind, { jobId: id }, { jobId: id });
    },
    async knows({ id, kind }) {
      return (await queueOf(kind).getJob(id)) !== undefined;
    },
    async remove({ id, kind }) {
      await queueOf(kind).remove(id);
    },
    async addDelivery(id) {
      const entry = await queues.webhooks.add('delivery', { jobId: id }, { jobId: id });
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
