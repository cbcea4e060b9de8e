import { AIGolosError } from '@aigolos/contracts';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  backoffMs,
  Counter,
  checkReadiness,
  createCloser,
  createMetrics,
  intVar,
  loadConfig,
  startHealthServer,
  startPeriodic,
  webhookConfig,
} from './index.ts';

describe('configuration', () => {
  const schema = z.object({
    PORT: intVar.describe('the port'),
    NAME: z.string().min(3),
    LEVEL: z.string().default('info'),
  });

  test('reads numbers, takes defaults, and an empty variable is none', () => {
    expect(loadConfig(schema, { PORT: '80', NAME: 'abc', LEVEL: '' })).toEqual({
      PORT: 80,
      NAME: 'abc',
      LEVEL: 'info',
    });
  });

  test('says everything that is wrong at once, with what each variable is', () => {
    const load = () => loadConfig(schema, { PORT: 'many', NAME: 'a' });
    expect(load).toThrow(AIGolosError);
    expect(load).toThrow(/PORT: .*\(the port\)\n {2}NAME:/);
  });
});

describe('what may be reached', () => {
  const load = (env: Record<string, string>) => loadConfig(z.object(webhookConfig), env);

  test('is read as lists', () => {
    const env = {
      WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/8, fd00::/8,',
      WEBHOOK_ALLOWED_HOSTS: 'hooks.internal,*.apps.internal',
      WEBHOOK_ALLOWED_PORTS: '443, 8000-8099',
    };
    expect(load(env)).toEqual({
      WEBHOOK_ALLOWED_NETWORKS: ['10.0.0.0/8', 'fd00::/8'],
      WEBHOOK_ALLOWED_HOSTS: ['hooks.internal', '*.apps.internal'],
      WEBHOOK_ALLOWED_PORTS: ['443', '8000-8099'],
    });
    expect(load({}).WEBHOOK_ALLOWED_PORTS).toEqual(['80', '443', '1024-65535']);
  });

  test.each([
    ['WEBHOOK_ALLOWED_NETWORKS', '10.0.0.0', 'must be networks such as'],
    ['WEBHOOK_ALLOWED_NETWORKS', 'hooks.internal', 'must be networks such as'],
    ['WEBHOOK_ALLOWED_HOSTS', 'https://hooks.internal', 'must be names such as'],
    ['WEBHOOK_ALLOWED_HOSTS', '*', 'must be names such as'],
    ['WEBHOOK_ALLOWED_HOSTS', 'a.*.internal', 'must be names such as'],
    ['WEBHOOK_ALLOWED_PORTS', '0', 'must be ports such as'],
    ['WEBHOOK_ALLOWED_PORTS', '80-', 'must be ports such as'],
    ['WEBHOOK_ALLOWED_PORTS', '90-80', 'must be ports such as'],
    ['WEBHOOK_ALLOWED_PORTS', '1-65536', 'must be ports such as'],
  ])('%s=%s is refused', (name, value, message) => {
    expect(() => load({ [name]: value })).toThrow(message);
  });
});

test('back-off grows, is spread, and has an end', () => {
  const options = { baseMs: 100, maxMs: 1_000 };
  expect([0, 1, 2, 9].map((attempt) => backoffMs(attempt, options, () => 1))).toEqual([100, 200, 400, 1_000]);
  expect(backoffMs(3, options, () => 0)).toBe(0);
});

test('closes in reverse order, each once, also when one of them fails', async () => {
  const closed: string[] = [];
  const closer = createCloser();
  closer.add(async () => closed.push('first'));
  closer.add(() => Promise.reject(new Error('will not close')));
  closer.add(async () => closed.push('last'));
  await expect(closer.closeAll()).rejects.toThrow('could not close everything');
  await closer.closeAll();
  expect(closed).toEqual(['last', 'first']);
});

test('a dependency that hangs counts as failed', async () => {
  const never = () => new Promise<boolean>(() => {});
  const readiness = await checkReadiness(
    { good: async () => true, bad: () => Promise.reject(new Error('no')), never },
    20,
  );
  expect(readiness).toEqual({ ready: false, checks: { good: 'ok', bad: 'failed', never: 'failed' } });
});

test('health, readiness and metrics are served', async () => {
  const metrics = createMetrics('test');
  new Counter({ name: 'things_total', help: 'things', registers: [metrics] }).inc(3);
  let ready = false;
  const server = await startHealthServer({ host: '127.0.0.1', port: 0, checks: { thing: async () => ready }, metrics });
  try {
    const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
    ready = true;
    expect(await (await get('/readyz')).json()).toEqual({ ready: true, checks: { thing: 'ok' } });
    expect(await (await get('/metrics')).text()).toContain('things_total{service="test"} 3');
    expect((await get('/other')).status).toBe(404);
  } finally {
    await server.close();
  }
});

test('periodic work goes on after an error, is never run twice at once, and ends when stopped', async () => {
  let running = 0;
  let runs = 0;
  const errors: unknown[] = [];
  const third = Promise.withResolvers<void>();
  const periodic = startPeriodic({
    intervalMs: 1,
    async run() {
      running += 1;
      expect(running).toBe(1);
      await Promise.resolve();
      running -= 1;
      runs += 1;
      if (runs === 3) third.resolve();
      if (runs === 1) throw new Error('once');
    },
    onError: (error) => errors.push(error),
  });
  await third.promise;
  await periodic.stop();
  const after = runs;
  await new Promise((resolve) => setImmediate(resolve));
  expect(runs).toBe(after);
  expect(errors).toHaveLength(1);
});
