import { QUEUE_NAMES, type QueueName } from '@aigolos/contracts';
import type { Producer } from './producer.ts';

/** Where a queue has an id. `position` counts those that are taken before it. */
export type QueuePlace =
  | { state: 'waiting'; queue: QueueName; position: number }
  | { state: 'delayed'; queue: QueueName; until: Date }
  | { state: 'active'; queue: QueueName }
  | { state: 'unknown' };

/** Something that a queue holds: the id of a job, or, on `webhooks`, of a delivery. */
export interface QueueEntry {
  queue: QueueName;
  id: string;
}

export interface QueueCounts {
  waiting: number;
  delayed: number;
  active: number;
  /** Processes' places that take from this queue. */
  workers: number;
}

/** Looks into the queues for an operator. Changes nothing but what it is told to remove. */
export interface QueueInspection {
  placeOf(id: string): Promise<QueuePlace>;
  counts(queue: QueueName): Promise<QueueCounts>;
  /** Everything that the queues hold, a page at a time; what moves meanwhile may come twice or not at all. */
  entries(): AsyncIterable<QueueEntry>;
  /** Takes an id off its queue. @returns false where it is gone already, or a worker holds it. */
  remove(entry: QueueEntry): Promise<boolean>;
}

const PAGE = 1_000;
const STATES = ['wait', 'prioritized', 'delayed', 'active'] as const;

/** Over the queues of a producer, which stays the one to close them. */
export function createQueueInspection({ queues }: Pick<Producer, 'queues'>): QueueInspection {
  async function placeIn(queue: QueueName, id: string): Promise<QueuePlace | undefined> {
    const entry = await queues[queue].getJob(id);
    if (!entry) return undefined;
    const state = await entry.getState();
    if (state === 'active') return { state, queue };
    if (state === 'delayed') return { state, queue, until: new Date(entry.timestamp + entry.delay) };
    return { state: 'waiting', queue, position: await positionIn(queue, id) };
  }

  /** The plain list is emptied first, from its end; then those with a priority, in their order. */
  async function positionIn(queue: QueueName, id: string): Promise<number> {
    let before = 0;
    for (const state of ['wait', 'prioritized'] as const) {
      for (let start = 0; ; start += PAGE) {
        const ids = await queues[queue].getRanges([state], start, start + PAGE - 1, true);
        const found = ids.indexOf(id);
        if (found !== -1) return before + found;
        before += ids.length;
        if (ids.length < PAGE) break;
      }
    }
    return before;
  }

  return {
    async placeOf(id) {
      for (const queue of QUEUE_NAMES) {
        const place = await placeIn(queue, id);
        if (place) return place;
      }
      return { state: 'unknown' };
    },
    async counts(queue) {
      const counts = await queues[queue].getJobCounts(...STATES);
      return {
        waiting: (counts.wait ?? 0) + (counts.prioritized ?? 0),
        delayed: counts.delayed ?? 0,
        active: counts.active ?? 0,
        workers: await queues[queue].getWorkersCount(),
      };
    },
    async *entries() {
      for (const queue of QUEUE_NAMES) {
        for (const state of STATES) {
          for (let start = 0; ; start += PAGE) {
            const ids = await queues[queue].getRanges([state], start, start + PAGE - 1, true);
            for (const id of ids) yield { queue, id };
            if (ids.length < PAGE) break;
          }
        }
      }
    },
    remove: async ({ queue, id }) => (await queues[queue].remove(id)) === 1,
  };
}
