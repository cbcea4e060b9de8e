import type { QueueEntry } from '@aigolos/queue';
import { batchesOf } from '../batches.ts';
import type { ConsistencyCheck, ConsistencyDeps } from './check.ts';

const LOOKED_UP_AT_ONCE = 500;

/** What a queue still holds of jobs that have ended or are gone, as where Redis was away when they were cancelled. */
export const queueEntriesWithoutJob: ConsistencyCheck = {
  kind: 'queue_entry_without_job',
  isAutomatic: true,
  async *find({ db, queues, log }, signal) {
    if (!queues) return;
    try {
      for await (const entries of batchesOf(queues.entries(), LOOKED_UP_AT_ONCE)) {
        signal.throwIfAborted();
        for (const { queue, id } of await withoutRecord(db, entries)) {
          yield { id: `${queue}/${id}`, detail: `queue ${queue} holds ${id}, which has ended or does not exist` };
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      // The records can be looked at all the same.
      log.debug({ err: error }, 'the queues cannot be looked into');
    }
  },
  async repair({ db, queues }, found) {
    const [queue, id] = found.split('/') as [QueueEntry['queue'], string];
    if ((await withoutRecord(db, [{ queue, id }])).length === 0) return false;
    return (await queues?.remove({ queue, id })) ?? false;
  },
};

/** Those of what queues hold that nobody has to take from them any more. */
async function withoutRecord({ inspection }: ConsistencyDeps['db'], entries: QueueEntry[]): Promise<QueueEntry[]> {
  const isDelivery = ({ queue }: QueueEntry) => queue === 'webhooks';
  const idsOf = (some: QueueEntry[]) => some.map(({ id }) => id);
  const [jobs, deliveries] = await Promise.all([
    inspection.openJobs(idsOf(entries.filter((entry) => !isDelivery(entry)))),
    inspection.openDeliveries(idsOf(entries.filter(isDelivery))),
  ]);
  return entries.filter((entry) => !(isDelivery(entry) ? deliveries : jobs).has(entry.id));
}
