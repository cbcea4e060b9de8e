import { randomUUID } from 'node:crypto';
import type { QueueName } from '@aigolos/contracts';
import { backlogKey } from './backlog-scripts.ts';
import { type FairRedis, tagsKey, UNTAGGED } from './fair-share-scripts.ts';
import { type PaceRedis, paceKey, SLOTS_ALIVE_MS, slotsKey } from './pace-scripts.ts';

/** What a worker tells of the order and the pace of its queue. Best effort: what is lost costs precision for a moment. */
export interface Pace {
  /** A job with this BullMQ priority is worked on from now. */
  started(id: string, priority: number): void;
  /** A job has taken a slot for so long. */
  took(ms: number): void;
  /** Its slots do not count any more. */
  stop(): void;
}

interface PaceOptions {
  redis: FairRedis & PaceRedis;
  prefix: string;
  queue: QueueName;
  concurrency: number;
  /** BullMQ's key of one of the queue's lists. */
  toKey: (list: string) => string;
  onError: (error: unknown) => void;
}

export function startPace({ redis, prefix, queue, concurrency, toKey, onError }: PaceOptions): Pace {
  const member = `${randomUUID()}:${concurrency}`;
  const alive = () => {
    redis.paceAlive(slotsKey(prefix, queue), member).catch(onError);
  };
  alive();
  const timer = setInterval(alive, SLOTS_ALIVE_MS / 3).unref();
  return {
    started(id, priority) {
      if (priority <= UNTAGGED) return;
      const [prioritized, wait] = [toKey('prioritized'), toKey('wait')];
      redis
        .fairStarted(tagsKey(prefix, queue), backlogKey(prefix, queue), prioritized, wait, priority, id)
        .catch(onError);
    },
    took(ms) {
      redis.paceTook(paceKey(prefix, queue), Math.round(ms)).catch(onError);
    },
    stop() {
      clearInterval(timer);
      redis.zrem(slotsKey(prefix, queue), member).catch(onError);
    },
  };
}

/** A job's place in its queue. */
export interface Place {
  /** Jobs that are handed out before it, going by those that wait now: who comes later may still stand before it. */
  ahead: number;
  /** In how many ms it is likely to begin; undefined where no worker is there, or none has finished a job lately. */
  startsInMs: number | undefined;
}

/**
 * @param seen how many stand before it, or -1 of one that is handed out; how many are worked on; how long one takes in ms, ''
 * where that is not known; how many are worked on at once.
 */
export function estimate([seen, active, ms, slots]: readonly [number, number, string, number]): Place {
  const ahead = Math.max(0, seen);
  if (slots === 0 || ms === '') return { ahead, startsInMs: undefined };
  // With all slots taken an end comes every ms/slots, and every end lets one job begin.
  const endsBefore = seen < 0 ? 0 : Math.max(0, ahead + active - slots + 1);
  return { ahead, startsInMs: (endsBefore * Number(ms)) / slots };
}
