import { readFile } from 'node:fs/promises';
import {
  audioClip,
  startApp,
  startMongo,
  startRedis,
  testConfig,
  useMongo,
  useRedis,
  waitUntil,
} from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHAT, ended, heldBack } from './answers.ts';
import { openCutLine } from './cut-line.ts';
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

  test('under load, whether it is killed, hangs or comes back, brings a 503 within seconds and nothing else', async () => {
    const server = await startMongo();
    const house = await openHouse(redis, { newDatabaseUrl: () => server.databaseUrl('test') });
    const audio = await readFile(audioClip('count'));
    const answers: { status: number; retryAfter: number; ms: number }[] = [];
    const over = new AbortController();
    const upload = () => {
      const form = new FormData();
      form.append('file', new File([audio], 'x.wav'));
      form.append('model', 'whisper-1');
      return house.call('/v1/audio/transcriptions', {
        method: 'POST',
        body: form,
        headers: { prefer: 'respond-async' },
      });
    };
    const calls = [
      () => house.post(PATH, { ...CHAT, conversation: 'new' }, { prefer: 'respond-async', 'idempotency-key': 'key' }),
      () => house.post(PATH, { ...CHAT, conversation: 'new' }, { prefer: 'respond-async' }),
      () => house.call('/v1/jobs?limit=2'),
      () => house.call('/v1/jobs/cht_none'),
      () => house.call('/v1/models'),
      () => house.call('/v1/account', { key: house.keys.stranger }),
      () => house.call('/v1/webhook_endpoints'),
      upload,
    ];
    const load = calls.map(async (call) => {
      while (!over.signal.aborted) {
        const asked = performance.now();
        const { status, headers } = await call();
        answers.push({ status, retryAfter: Number(headers.get('retry-after')), ms: performance.now() - asked });
      }
    });
    const untilSaid = (what: string, isIt: (status: number) => boolean) => {
      const from = answers.length;
      return waitUntil(what, () => answers.slice(from).some(({ status }) => isIt(status)), 60_000);
    };
    try {
      await untilSaid('it works', (status) => status === 202);
      await server.restart();
      await untilSaid('it works again', (status) => status === 202);
      server.signal('SIGSTOP');
      await untilSaid('that it hangs is said', (status) => status === 503);
      server.signal('SIGCONT');
      await untilSaid('it goes on', (status) => status === 202);
      await server.goDown();
      await untilSaid('that it is away is said', (status) => status === 503);
      await server.comeBack();
      await untilSaid('it is back', (status) => status === 202);
    } finally {
      over.abort();
      await Promise.all(load);
    }
    expect([...new Set(answers.map(({ status }) => status))].toSorted((a, b) => a - b)).toEqual([200, 202, 404, 503]);
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(30_000);
    const away = answers.filter(({ status }) => status === 503);
    expect(away.filter(({ retryAfter }) => !(retryAfter > 0 && retryAfter <= 60))).toEqual([]);
    const jobs = await house.db.jobs.list({ account: house.account, limit: 5_000 });
    expect(jobs.filter(({ idempotencyKey }) => idempotencyKey === 'key')).toHaveLength(1);
    expect((await house.files()).spool).toEqual([]);
    await house.close();
    await server.kill('SIGKILL');
  }, 200_000);

  test('that took a submission and could not say so has it once, found by its key', async () => {
    const server = await startMongo();
    const line = await openCutLine(server.port);
    const url = new URL(server.databaseUrl('test'));
    url.port = String(line.port);
    const house = await openHouse(redis, { newDatabaseUrl: () => url.href });
    try {
      const body = { ...CHAT, conversation: 'new' };
      const submit = () =>
        house
          .post(PATH, body, { prefer: 'respond-async', 'idempotency-key': 'the-key-of-it' })
          .then(async (answer) => ({
            status: answer.status,
            replayed: answer.headers.get('idempotent-replayed'),
            id: ((await answer.json()) as { id?: string }).id,
          }));
      line.loseAnswerTo('requestFingerprint');
      expect(await submit()).toMatchObject({ status: 503 });
      const again = await submit();
      const [job, ...rest] = await house.db.jobs.list({ account: house.account, limit: 9 });
      expect([again, rest]).toEqual([{ status: 202, replayed: 'true', id: job?._id }, []]);
      expect(await house.db.conversations.idsOf(house.account, { limit: 9 })).toEqual([job?.conversation]);
    } finally {
      await house.close();
      await line.close();
      await server.kill('SIGKILL');
    }
  }, 60_000);
});

test('a gateway that dies while its client waits: the same request under its key joins the job at another one', async () => {
  const url = mongo.newDatabaseUrl();
  const settings = { QUEUE_PREFIX: `dies-${Date.now()}`, MONGO_URL: url };
  const house = await openHouse(redis, mongo, settings);
  try {
    const { process, started, letGo } = heldBack('found again');
    await house.work('chat', process);
    const env = { PATH: testConfig.PATH, REDIS_URL: redis.url, BLOB_DIR: house.blobs.spoolDir, ...settings };
    const dying = await startApp('gateway', env);
    await dying.ready();
    const init = {
      method: 'POST',
      body: JSON.stringify(CHAT),
      headers: { 'content-type': 'application/json', 'idempotency-key': 'of-the-dead' },
    };
    const headers = { ...init.headers, authorization: `Bearer ${house.keys.user}` };
    const lost = fetch(new URL(PATH, dying.url), { ...init, headers }).then(
      () => 'answered',
      () => 'lost',
    );
    const id = await started;
    await dying.end('SIGKILL');
    expect(await lost).toBe('lost');
    const again = house.call(PATH, init);
    letGo();
    const answer = await again;
    expect([answer.headers.get('idempotent-replayed'), await answer.json()]).toMatchObject([
      'true',
      { id, choices: [{ message: { content: 'found again' } }] },
    ]);
    expect(await house.db.jobs.list({ account: house.account, limit: 9 })).toHaveLength(1);
  } finally {
    await house.close();
  }
}, 60_000);
