import { randomUUID } from 'node:crypto';
import { createLogger } from '@aigolos/runtime';
import { startRedis } from '@aigolos/testing';
import { createProducer, type Producer, type RedisConfig } from '../../src/index.ts';

export const log = createLogger({ service: 'bench', level: 'silent' });

/** `fifo` is the control: BullMQ without priorities. */
export type Order = 'fair' | 'fifo';

/** A Redis of its own, as in production, and a producer. */
export async function openBench(): Promise<{ config: RedisConfig; producer: Producer; close: () => Promise<void> }> {
  const redis = await startRedis();
  const config = { REDIS_URL: redis.url, QUEUE_PREFIX: `bench-${randomUUID()}` };
  const producer = await createProducer(config, log);
  return {
    config,
    producer,
    async close() {
      await producer.close();
      await redis.kill('SIGKILL');
    },
  };
}

export async function addJob(producer: Producer, order: Order, id: string, account: string): Promise<void> {
  if (order === 'fair') await producer.add({ id, kind: 'chat', account });
  else await producer.queues.llm.add('chat', { jobId: id }, { jobId: id });
}

const AT_ONCE = 50;

/** Adds so many jobs, fifty at a time. */
export async function fill(producer: Producer, order: Order, count: number, account: string): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => `${account}-${from + index}`);
    await Promise.all(some.map((id) => addJob(producer, order, id, account)));
  }
}
