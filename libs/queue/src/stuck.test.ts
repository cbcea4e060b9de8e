import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createMetrics } from '@aigolos/runtime';
import { testLog as log, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, expect, test } from 'vitest';
import { createProducer, createQueueWorker } from './index.ts';

const redis = useRedis();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

/** Stands before Redis, and can stop forwarding what takes ids off a queue without closing a connection, as a broken network does. */
async function startProxy() {
  const { hostname, port } = new URL(redis.url);
  const takers = new Set<Socket>();
  const all = new Set<Socket>();
  let silent: 'none' | 'those that are there' | 'all' = 'none';
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      all.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => [client, upstream].map((other) => other.destroy()));
    }
    client.on('data', (bytes) => {
      if (silent !== 'those that are there' && /bzpopmin|eval/i.test(bytes.toString('latin1'))) takers.add(client);
      if (silent === 'none' || !takers.has(client)) upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (silent === 'none' || !takers.has(client)) client.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    for (const socket of all) socket.destroy();
    server.close();
  });
  const address = server.address() as { port: number };
  return {
    url: `redis://127.0.0.1:${address.port}`,
    silence(which: typeof silent) {
      silent = which;
    },
  };
}

test('a worker that gets no ids over connections that nobody closed is made anew; where that does not help, it says so', async () => {
  const QUEUE_PREFIX = `test-${randomUUID()}`;
  const proxy = await startProxy();
  const producer = await createProducer({ REDIS_URL: redis.url, QUEUE_PREFIX }, log);
  closers.push(() => producer.close());
  const handled: string[] = [];
  let gaveUp = false;
  const metrics = createMetrics('test');
  const worker = createQueueWorker({
    redis: { REDIS_URL: proxy.url, QUEUE_PREFIX },
    queue: 'llm',
    concurrency: 1,
    handle: async (jobId) => {
      handled.push(jobId);
      return 'done';
    },
    log,
    metrics,
    lookEveryMs: 50,
    onStuck: () => {
      gaveUp = true;
    },
  });
  closers.push(() => worker.close());
  const add = (id: string) => producer.add({ id, kind: 'chat', account: 'acc_1' });

  await add('cht_1');
  await waitUntil('the first is handled', () => handled.includes('cht_1'));
  proxy.silence('those that are there');
  await add('cht_2');
  await waitUntil('the second is handled', () => handled.includes('cht_2'));
  const counter = metrics.getSingleMetric('aigolos_queue_worker_recreated_total');
  expect((await counter?.get())?.values).toEqual([{ labels: { queue: 'llm' }, value: 1 }]);
  expect([worker.isRunning(), gaveUp]).toEqual([true, false]);

  proxy.silence('all');
  await add('cht_3');
  await waitUntil('it is unready', () => !worker.isRunning());
  await waitUntil('it gives up', () => gaveUp);
  expect(handled).toEqual(['cht_1', 'cht_2']);
});

test('ids that wait while every place is taken, or on a queue that was paused, are no reason to do anything', async () => {
  const config = { REDIS_URL: redis.url, QUEUE_PREFIX: `test-${randomUUID()}` };
  const producer = await createProducer(config, log);
  closers.push(() => producer.close());
  const release = Promise.withResolvers<'done'>();
  const handled: string[] = [];
  const metrics = createMetrics('test');
  const worker = createQueueWorker({
    redis: config,
    queue: 'llm',
    concurrency: 1,
    handle: (jobId) => {
      handled.push(jobId);
      return release.promise;
    },
    log,
    metrics,
    lookEveryMs: 20,
  });
  closers.push(() => worker.close());
  const looks = async (count: number) => {
    const before = performance.now();
    await waitUntil('time for some looks', () => performance.now() - before > count * 20);
  };
  for (const id of ['cht_1', 'cht_2']) await producer.add({ id, kind: 'chat', account: 'acc_1' });
  await waitUntil('the first is taken', () => handled.length === 1);
  await looks(15);
  await producer.queues.llm.pause();
  release.resolve('done');
  await looks(15);
  const counter = metrics.getSingleMetric('aigolos_queue_worker_recreated_total');
  expect((await counter?.get())?.values).toEqual([{ labels: { queue: 'llm' }, value: 0 }]);
  expect(handled).toEqual(['cht_1']);
});
