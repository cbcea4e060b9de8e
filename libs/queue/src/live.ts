import { EventEmitter } from 'node:events';
import { type LiveEvent, LiveEventSchema } from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import { openFailFastConnection, openPatientConnection, type RedisConfig, waitUntilReady } from './connection.ts';

/** News of running jobs, from workers to those who watch. Short-lived and best effort: the record is the truth. */
export interface LiveStreams {
  /** Never fails: what cannot be told is only told later, by the record. */
  publish(jobId: string, event: LiveEvent): Promise<void>;
  /** All events of a job from its first, as they come, until `finished` or the signal. Yields nothing after each `idleMs` without news, so that the caller can look at the record. */
  watch(jobId: string, options: Watching): AsyncGenerator<LiveEvent | undefined>;
  /** Whether the end of a job was told, which is the last that this says, or not after each `idleMs`; until the signal. */
  ended(jobId: string, options: Watching): AsyncGenerator<boolean>;
  /** Forgets a job's events. Fails fast while Redis is away; they are gone by themselves after a quarter of an hour. */
  remove(jobId: string): Promise<void>;
  close(): Promise<void>;
}

interface Watching {
  idleMs: number;
  signal: AbortSignal;
}

const MAX_EVENTS = 10_000;
const KEEP_SECONDS = 15 * 60;
const READY_TIMEOUT_MS = 5_000;

/**
 * Events lie in a Redis stream a job; a pub/sub message with the type of a new one says that it is there, so one connection serves all
 * watchers.
 */
export async function createLiveStreams(config: RedisConfig, log: Logger): Promise<LiveStreams> {
  const commands = openFailFastConnection(config, log);
  const subscriber = openPatientConnection(config, log);
  await waitUntilReady(commands, READY_TIMEOUT_MS);
  const keyOf = (jobId: string) => `${config.QUEUE_PREFIX}:live:${jobId}`;
  const news = new EventEmitter().setMaxListeners(0);
  subscriber.on('message', (channel: string, type: string) => news.emit(channel, type));

  async function readAfter(key: string, id: string): Promise<{ id: string; event: LiveEvent }[]> {
    const entries = await commands.xrange(key, `(${id}`, '+').catch(() => []);
    return entries.flatMap(([entryId, fields]) => {
      const event = eventIn(fields);
      return event ? [{ id: entryId, event }] : [];
    });
  }

  /** The end, and what was told beside it at the same moment. */
  async function isFinished(key: string): Promise<boolean> {
    const entries = await commands.xrevrange(key, '+', '-', 'COUNT', 2).catch(() => []);
    return entries.some(([, fields]) => eventIn(fields)?.type === 'finished');
  }

  /** Rings for what is heard of a job from here on, and when the signal aborts. */
  async function listen(key: string, { idleMs, signal }: Watching, isHeard: (type: string) => boolean) {
    const bell = createBell();
    const hear = (type: string) => {
      if (isHeard(type)) bell.ring();
    };
    news.on(key, hear);
    signal.addEventListener('abort', bell.ring);
    await Promise.race([subscriber.subscribe(key).catch(() => {}), bell.rings(idleMs)]);
    const leave = () => {
      news.off(key, hear);
      signal.removeEventListener('abort', bell.ring);
      if (news.listenerCount(key) === 0) void subscriber.unsubscribe(key).catch(() => {});
    };
    return { bell, leave };
  }

  return {
    async publish(jobId, event) {
      const key = keyOf(jobId);
      const pipeline = commands.multi();
      pipeline.xadd(key, 'MAXLEN', '~', MAX_EVENTS, '*', 'event', JSON.stringify(event));
      pipeline.expire(key, KEEP_SECONDS);
      pipeline.publish(key, event.type);
      await pipeline.exec().catch((error: unknown) => log.debug({ err: error, jobId }, 'news of a job was not told'));
    },

    async *watch(jobId, options) {
      const { idleMs, signal } = options;
      const key = keyOf(jobId);
      if (signal.aborted) return;
      const { bell, leave } = await listen(key, options, () => true);
      try {
        let last = '0-0';
        for (let isIdle = false; !signal.aborted; isIdle = !(await bell.rings(idleMs))) {
          bell.reset();
          const entries = await readAfter(key, last);
          for (const { id, event } of entries) {
            last = id;
            yield event;
            if (event.type === 'finished') return;
          }
          if (isIdle && entries.length === 0) yield undefined;
        }
      } finally {
        leave();
      }
    },

    async *ended(jobId, options) {
      const { idleMs, signal } = options;
      const key = keyOf(jobId);
      if (signal.aborted) return;
      let isTold = false;
      const { bell, leave } = await listen(key, options, (type) => {
        isTold ||= type === 'finished';
        return isTold;
      });
      try {
        for (let isIdle = false; !signal.aborted; isIdle = !(await bell.rings(idleMs))) {
          // Who comes too late for the message, or lost it, finds it in the stream.
          isTold ||= await isFinished(key);
          if (isTold) return yield true;
          if (isIdle) yield false;
        }
      } finally {
        leave();
      }
    },

    async remove(jobId) {
      await commands.del(keyOf(jobId));
    },
    close() {
      commands.disconnect();
      subscriber.disconnect();
      return Promise.resolve();
    },
  };
}

/** Of an entry of the stream; nothing where a later version has written it. */
function eventIn([, json = 'null']: string[]): LiveEvent | undefined {
  return LiveEventSchema.safeParse(JSON.parse(json)).data;
}

/** What rings while nobody waits for it is not missed: it is heard by the next who does. */
function createBell() {
  let isRung = false;
  let wake = () => {};
  return {
    ring() {
      isRung = true;
      wake();
    },
    reset() {
      isRung = false;
    },
    /** Whether it rings within the time. */
    async rings(withinMs: number): Promise<boolean> {
      if (isRung) return true;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const timer = setTimeout(resolve, withinMs).unref();
      await promise;
      clearTimeout(timer);
      return isRung;
    },
  };
}
