import { EventEmitter } from 'node:events';
import { type LiveEvent, LiveEventSchema } from '@aigolos/contracts';
import type { Logger } from '@aigolos/runtime';
import { openFailFastConnection, openPatientConnection, type RedisConfig, waitUntilReady } from './connection.ts';

/** News of running jobs, from workers to those who watch. Short-lived and best effort: the record is the truth. */
export interface LiveStreams {
  /** Never fails: what cannot be told is only told later, by the record. */
  publish(jobId: string, event: LiveEvent): Promise<void>;
  /**
   * All events of a job from its first, as they come, until `finished` or the signal. Yields nothing after each `idleMs` without news,
   * so that the caller can look at the record. Who waits for the end `only` is told of nothing else.
   */
  watch(
    jobId: string,
    options: { idleMs: number; signal: AbortSignal; only?: 'finished' },
  ): AsyncGenerator<LiveEvent | undefined>;
  /** Forgets a job's events. Fails fast while Redis is away; they are gone by themselves after a quarter of an hour. */
  remove(jobId: string): Promise<void>;
  close(): Promise<void>;
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
      const event = LiveEventSchema.safeParse(JSON.parse(fields[1] ?? 'null'));
      return event.success ? [{ id: entryId, event: event.data }] : [];
    });
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

    async *watch(jobId, { idleMs, signal, only }) {
      const key = keyOf(jobId);
      if (signal.aborted) return;
      const bell = createBell();
      const isAsked = (type: string) => only === undefined || type === only;
      const hear = (type: string) => {
        if (isAsked(type)) bell.ring();
      };
      news.on(key, hear);
      signal.addEventListener('abort', bell.ring);
      try {
        await Promise.race([subscriber.subscribe(key).catch(() => {}), bell.rings(idleMs)]);
        let last = '0-0';
        for (let isIdle = false; !signal.aborted; isIdle = !(await bell.rings(idleMs))) {
          bell.reset();
          const entries = await readAfter(key, last);
          for (const { id, event } of entries) {
            last = id;
            if (isAsked(event.type)) yield event;
            if (event.type === 'finished') return;
          }
          if (isIdle && !entries.some(({ event }) => isAsked(event.type))) yield undefined;
        }
      } finally {
        news.off(key, hear);
        signal.removeEventListener('abort', bell.ring);
        if (news.listenerCount(key) === 0) void subscriber.unsubscribe(key).catch(() => {});
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
