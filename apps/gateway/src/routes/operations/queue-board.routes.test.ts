import { randomUUID } from 'node:crypto';
import { createProducer } from '@aigolos/queue';
import { testLog, useMongo, useRedis } from '@aigolos/testing';
import Fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, openHouse } from '../../../test/harness.ts';
import { queueBoardRoutes } from './queue-board.routes.ts';

const redis = useRedis();
const mongo = useMongo();
const prefix = `test-${randomUUID()}`;
let house: House;
beforeAll(async () => {
  house = await openHouse(redis, mongo, { QUEUE_PREFIX: prefix });
});
afterAll(() => house.close());

/** Every route that the board has, each with an entry of the queue `llm` in its address. */
async function routesOfTheBoard(): Promise<{ method: string; path: string }[]> {
  const app = Fastify();
  const routes: { method: string; path: string }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, path: filled(url) });
  });
  await app.register(queueBoardRoutes, { queues: {} as never });
  await app.ready();
  await app.close();
  return routes;
}

const filled = (url: string) =>
  url
    .replace(':queueName', 'llm')
    .replace(':jobId', 'cht_1')
    .replace(':queueStatus', 'waiting')
    .replace(':schedulerId', 'x')
    .replace('*', 'x.js');

const SECRET = `mark-${randomUUID()}`;

test('whoever is no operator gets nothing of it, and an operator changes nothing by it', async () => {
  const routes = await routesOfTheBoard();
  const changing = routes.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  expect(changing.length).toBeGreaterThan(20);
  for (const { method, path } of routes) {
    const asked = (key: string) => house.call(path, { method, key });
    expect([method, path, (await asked('sk-wrong')).status]).toEqual([method, path, 401]);
    expect([method, path, (await asked(house.keys.user)).status]).toEqual([method, path, 403]);
  }
  for (const { method, path } of changing) {
    const answer = await house.call(path, { method, key: house.keys.admin });
    expect([method, path, answer.status]).toEqual([method, path, 405]);
  }
});

test('what an entry holds besides a job and its place is not shown, whoever has put it there', async () => {
  const config = { REDIS_URL: redis.url, QUEUE_PREFIX: prefix, REDIS_SILENCE_MS: 1_000 };
  const producer = await createProducer(config, testLog);
  const { llm } = producer.queues;
  const entry = await llm.add('chat', { jobId: 'cht_1', prompt: SECRET } as never, { jobId: 'cht_1' });
  await entry.log(SECRET);
  await entry.updateProgress(1);
  const texts = { failedReason: SECRET, stacktrace: JSON.stringify([SECRET]), returnvalue: JSON.stringify(SECRET) };
  await (await llm.backend.client).hset(llm.toKey('cht_1'), texts);

  const pages = (await routesOfTheBoard()).filter(({ method }) => method === 'GET').map(({ path }) => path);
  pages.push('/admin/queues/api/queues?activeQueue=llm&status=latest&page=1&jobsPerPage=10');
  const shown = await Promise.all(
    pages.map(async (path) => [path, await (await house.call(path, { key: house.keys.admin })).text()] as const),
  );
  expect(shown.filter(([, text]) => text.includes(SECRET)).map(([path]) => path)).toEqual([]);
  expect(shown.filter(([, text]) => text.includes('"cht_1"')).length).toBeGreaterThanOrEqual(2);
  await llm.obliterate({ force: true });
  await producer.close();
});
