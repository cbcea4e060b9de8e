import { type AppProcess, startApp, testConfig, useMongo, useRedis, waitUntil } from '@aigolos/testing';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newSecret, openTestInstallation, type TestInstallation } from './installation.ts';
import { type Behaviour, type TestReceiver, useReceivers } from './receiver.ts';

const redis = useRedis();
const mongo = useMongo();
const receivers = useReceivers();
let given: TestInstallation;
let apps: AppProcess[];
beforeEach(async () => {
  given = await openTestInstallation(redis, mongo);
  apps = [];
});
afterEach(async () => {
  await Promise.all(apps.map((app) => app.end('SIGKILL')));
  await given.close();
});

async function start(env: Record<string, string> = {}): Promise<AppProcess> {
  const app = await startApp('worker-webhooks', {
    PATH: testConfig.PATH,
    LOG_LEVEL: 'trace',
    MONGO_URL: given.mongoUrl,
    ...given.redis,
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    WEBHOOK_RETRY_SECONDS: '1,20',
    WEBHOOK_TIMEOUT_MS: '1000',
    WEBHOOK_SWEEP_EVERY_MS: '2000',
    ...env,
  });
  apps.push(app);
  await app.ready();
  return app;
}

interface Target {
  receiver: TestReceiver;
  endpoint: string;
  secret: string;
  events: string[];
}

async function target(behave?: Behaviour): Promise<Target> {
  const receiver = await receivers.start(behave);
  const secret = newSecret();
  const endpoint = await given.insertEndpoint(receiver.url, { secrets: { current: secret } });
  return { receiver, endpoint, secret, events: [] };
}

/** So many events, each for all of them. */
async function insertEvents(count: number, targets: Target[]): Promise<void> {
  for (let i = 0; i < count; i++) {
    const insert = async ({ endpoint, events }: Target) => {
      const event = `evt_${endpoint}_${i}`;
      events.push(event);
      await given.insertDelivery(endpoint, { event, order: 0, body: JSON.stringify({ id: event }) });
    };
    await Promise.all(targets.map(insert));
  }
}

const missing = ({ receiver, events }: Target) => events.filter((event) => !receiver.ids.has(event));

/** The full size is 2,000 deliveries; it takes a minute. */
const EVENTS = testConfig.TEST_STORM ? 100 : 25;

test(`${EVENTS * 20} deliveries, 30 % of the receivers at fault, the worker killed twice: each that can be reached gets each id`, async () => {
  const redirected = await receivers.start();
  const refusedOnce = new Set<string>();
  const unreachable = [
    await target((response) => response.writeHead(503).end()),
    await target(() => {}),
    await target((response) => response.socket?.resetAndDestroy()),
    await target((response) => response.writeHead(307, { location: redirected.url }).end()),
  ];
  const reachable = [
    await target((response) => void setTimeout(() => response.writeHead(200).end('late'), 200)),
    await target((response, { id }) => {
      response.writeHead(refusedOnce.has(id) ? 200 : 500).end();
      refusedOnce.add(id);
    }),
  ];
  for (let i = 0; i < 14; i++) reachable.push(await target());
  await insertEvents(EVENTS, [...unreachable, ...reachable]);
  const arrived = () => reachable.reduce((sum, { receiver }) => sum + receiver.ids.size, 0);

  for (const enough of [EVENTS * 2, EVENTS * 5]) {
    const app = await start();
    await waitUntil(`${enough} have arrived`, () => arrived() >= enough, 40_000);
    await app.end('SIGKILL');
  }
  await start();
  await waitUntil('each has each', () => arrived() === EVENTS * reachable.length, 60_000).catch(() => {});
  expect(reachable.flatMap(missing)).toEqual([]);

  for (const { receiver, secret } of reachable) {
    for (const { body, headers } of receiver.received) {
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toBeDefined();
    }
    expect(receiver.mostOpen).toBeLessThanOrEqual(8 * 2);
  }
  expect(redirected.received).toEqual([]);
  for (const { receiver } of unreachable) expect(receiver.received.length).toBeGreaterThan(0);
  const log = apps.map((app) => app.log()).join('');
  expect(log).toContain('attempted');
  expect(log).not.toContain('whsec_');
  for (const { secret } of reachable) expect(log).not.toContain(secret.slice('whsec_'.length));
}, 180_000);

test('a receiver that answers nothing delays no other', async () => {
  const hanging = await target(() => {});
  const quick = await target();
  await insertEvents(50, [hanging, quick]);
  await start({ WEBHOOK_TIMEOUT_MS: '10000', WEBHOOK_CONCURRENCY: '16' });
  await waitUntil('the other has each', () => missing(quick).length === 0, 5_000);
  expect(hanging.receiver.mostOpen).toBe(8);
});

test('of receivers inside, those are called whose name and port the operator has allowed', async () => {
  const [named, otherPort] = [await target(), await target()];
  const port = (of: Target) => Number(new URL(of.receiver.url).port);
  const urls = [`http://localhost:${port(named)}/`, named.receiver.url, `http://localhost:${port(otherPort)}/`];
  const rows = await Promise.all(
    urls.map(async (url) => given.insertDelivery(await given.insertEndpoint(url), { order: 0 })),
  );
  await start({
    WEBHOOK_ALLOWED_NETWORKS: '',
    WEBHOOK_ALLOWED_HOSTS: 'localhost',
    WEBHOOK_ALLOWED_PORTS: String(port(named)),
  });
  const attempts = async () => Promise.all(rows.map(async (id) => (await given.delivery(id)).attempts));
  await waitUntil('each was tried', async () => (await attempts()).every(({ length }) => length > 0));
  expect(await attempts()).toMatchObject([
    [{ status: 204 }],
    [{ error: expect.stringContaining('not an address of the public internet') }],
    [{ error: expect.stringContaining(`must not have the port ${port(otherPort)}`) }],
  ]);
  expect([named.receiver.received.length, otherPort.receiver.received.length]).toEqual([1, 0]);
});

test('what is being sent ends before a worker that is told to stop does', async () => {
  const slow = await target((response) => void setTimeout(() => response.writeHead(204).end(), 500));
  await insertEvents(1, [slow]);
  const app = await start();
  await waitUntil('it is being sent', () => slow.receiver.received.length === 1);
  expect(await app.end('SIGTERM')).toEqual({ exitCode: 0 });
  const [row] = await given.db.webhooks.listDeliveries({ account: given.account, limit: 1 });
  expect(row).toMatchObject({ status: 'delivered' });
});
