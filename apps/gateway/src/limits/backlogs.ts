import { BACKLOG_MEASURES, isMeasuredQueue, LimitError, type MeasuredQueue, type QueueName } from '@aigolos/contracts';
import { type Backlog, type Producer, secondsUntilBelow } from '@aigolos/queue';
import { LRUCache } from 'lru-cache';

/** How much may wait in a queue, in its measure. */
export type BacklogLimits = Record<MeasuredQueue, number>;

/** What waits in the queues, of all accounts together. */
export interface Backlogs {
  /** Undefined where Redis is away. As it was at most a quarter of a second ago. */
  of(queue: MeasuredQueue): Promise<Backlog | undefined>;
  /** Why a queue takes nothing more now; nothing where it does, or nobody knows. */
  refusalOf(queue: QueueName): Promise<LimitError | undefined>;
  readonly limits: BacklogLimits;
}

/** Of many requests at once one asks Redis. */
const KEPT_MS = 250;
const WHAT = { audio_seconds: 'seconds of audio', tokens: 'tokens', characters: 'characters' } as const;

export function createBacklogs(producer: Pick<Producer, 'backlog'>, limits: BacklogLimits): Backlogs {
  const known = new LRUCache<MeasuredQueue, Promise<Backlog | undefined>>({ max: 10, ttl: KEPT_MS });
  function of(queue: MeasuredQueue): Promise<Backlog | undefined> {
    const looked = known.get(queue) ?? producer.backlog(queue).catch(() => undefined);
    if (!known.has(queue)) known.set(queue, looked);
    return looked;
  }
  return {
    limits,
    of,
    async refusalOf(queue) {
      if (!isMeasuredQueue(queue)) return undefined;
      const limit = limits[queue];
      const backlog = await of(queue);
      if (!backlog || backlog.amount < limit) return undefined;
      const retryAfterSeconds = secondsUntilBelow(backlog, limit);
      const waiting = `${backlog.amount} ${WHAT[BACKLOG_MEASURES[queue]]} wait to be worked on`;
      return new LimitError(
        `${waiting}, and with ${limit} nothing more is taken. Send it again in ${retryAfterSeconds} s.`,
        { code: 'BACKLOG_FULL', retryable: true, retryAfterSeconds },
      );
    },
  };
}
