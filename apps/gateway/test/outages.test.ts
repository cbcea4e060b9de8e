import { startMongo, startRedis, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHAT, ended, heldBack } from './answers.ts';
import { type House, openHouse } from './harness.ts';

const redis = useRedis();
const mongo = useMongo();
const PATH = '/v1/chat/completions';

describe('a gateway that stops', () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse(redis, mongo);
  });
  afterEach(() => house.close());

  test('ends what it holds open by saying where the result will be, and the jobs go on', async () => {
    const { process, started, letGo } = heldBack();
    await house.work('chat', process);
    const plain = house.post(PATH, CHAT);
    const id = await started;
    const waiting = house.post(PATH, CHAT, { prefer: 'wait=300' });
    const streamed = house.post(PATH, { ...CHAT, stream: true });
    await waitUntil(
      'all three run',
      async () => (await house.db.jobs.list({ account: house.account, limit: 9 })).length === 3,
    );
    const asked = performance.now();
    await house.gateway.stop();
    expect(performance.now() - asked).toBeLessThan(5_000);

    const answer = await plain;
    expect([answer.status, answer.headers.get('x-job-id'), answer.headers.get('x-should-retry')]).toEqual([
      503,
      id,
      'false',
    ]);
    expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining(`/v1/jobs/${id}/result`) } });
    expect((await waiting).status).toBe(202);
    expect(await (await streamed).text()).toContain('This server is stopping.');
    letGo();
    await waitUntil('the job completes', async () => (await house.db.jobs.find(id))?.status === 'completed');
  });
});

test('while Redis is away submissions are taken all the same', async () => {
  const server = await startRedis();
  const house = await openHouse(server, mongo);
  try {
    await server.kill('SIGKILL');
    const accepted = await house.post(PATH, CHAT, { prefer: 'respond-async' });
    expect([accepted.status, await accepted.json()]).toMatchObject([202, { status: 'queued' }]);
    const readiness = await (await house.call('/readyz')).json();
    expect(readiness).toEqual({ ready: false, checks: { database: 'ok', queue: 'failed' } });
  } finally {
    await house.close();
  }
});

describe('a database that is away', () => {
  test('is waited for by those who wait for a job already, and is said to those who come', async () => {
    const server = await startMongo();
    const house = await openHouse(redis, { newDatabaseUrl: () => server.databaseUrl('test') });
    try {
      const { process, started, letGo } = heldBack('patience');
      await house.work('chat', process);
      const waiting = house.post(PATH, CHAT);
      const id = await started;
      await server.restart();
      letGo();
      expect(await (await waiting).json()).toMatchObject({ id, choices: [{ message: { content: 'patience' } }] });
      expect(await ended(house, id)).toMatchObject({ status: 'completed', attempt: 1 });

      await server.kill('SIGKILL');
      const refused = await house.call('/v1/jobs');
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
      expect(await refused.json()).toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
        detail: expect.stringContaining('database'),
      });
      const readiness = await house.call('/readyz');
      expect([readiness.status, await readiness.json()]).toEqual([
        503,
        { ready: false, checks: { database: 'failed', queue: 'ok' } },
      ]);
      expect((await house.call('/healthz')).status).toBe(200);
    } finally {
      await house.close();
      await server.kill();
    }
  }, 60_000);
});
