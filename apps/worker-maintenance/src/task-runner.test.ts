import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, openDatabase } from '@aigolos/db';
import { createMetrics } from '@aigolos/runtime';
import { testLog as log, useMongo } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTaskRunner } from './task-runner.ts';

const mongo = useMongo();
let db: Database;
beforeAll(async () => {
  db = await openDatabase(mongo.newDatabaseUrl());
  await db.prepare();
});
afterAll(() => db.close());

/** One of the processes that due times are handed out to. */
function createProcess(run: (signal: AbortSignal) => Promise<void>, leaseMs = 10_000) {
  const stopping = new AbortController();
  processes += 1;
  const options = { taskRuns: db.taskRuns, holder: `process-${processes}`, signal: stopping.signal, log, leaseMs };
  const tasks = [{ name: 'task', cron: '* * * * *', run }];
  return {
    handle: createTaskRunner({ ...options, tasks, metrics: createMetrics('test') }),
    stop: () => stopping.abort(),
  };
}
let processes = 0;
const newSlot = () => new Date(Date.now() + processes * 1_000);

test('a due time that is handed out many times is run once', async () => {
  let runs = 0;
  const run = async () => {
    runs += 1;
    await sleep(20);
  };
  const slot = newSlot();
  const handed = await Promise.all(Array.from({ length: 5 }, () => createProcess(run).handle('task', slot)));
  expect(handed.filter((handled) => handled === 'done')).toHaveLength(1);
  expect(await createProcess(run).handle('task', slot)).toBe('done');
  expect(runs).toBe(1);
});

test('a run that fails is tried again, five times in all', async () => {
  let runs = 0;
  const { handle } = createProcess(async () => {
    runs += 1;
    throw new Error('told to fail');
  });
  const slot = newSlot();
  for (let attempt = 1; attempt < 5; attempt += 1) {
    expect(await handle('task', slot)).toMatchObject({ againAfterMs: expect.any(Number) });
  }
  expect(await handle('task', slot)).toBe('done');
  expect(await handle('task', slot)).toBe('done');
  expect(runs).toBe(5);
});

test('a run whose process dies each time is given up after five', async () => {
  const slot = newSlot();
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const claim = await db.taskRuns.claim({ name: 'task', slot }, { holder: `dead-${attempt}`, leaseMs: 1 });
    expect(claim).toMatchObject({ outcome: 'claimed', attempt });
    await sleep(5);
  }
  let runs = 0;
  const { handle } = createProcess(async () => void (runs += 1));
  expect(await handle('task', slot)).toBe('done');
  expect(runs).toBe(0);
});

test('a run that is interrupted is taken up by another process at once', async () => {
  const began = Promise.withResolvers<void>();
  const stopped = createProcess(async (signal) => {
    began.resolve();
    await sleep(60_000, undefined, { signal });
  });
  const slot = newSlot();
  const handled = stopped.handle('task', slot);
  await began.promise;
  stopped.stop();
  expect(await handled).toEqual({ againAfterMs: 0 });
  let runs = 0;
  expect(await createProcess(async () => void (runs += 1)).handle('task', slot)).toBe('done');
  expect(runs).toBe(1);
});

test('a long run keeps its lease, and is aborted when another process has it all the same', async () => {
  const began = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const slow = createProcess(async (signal) => {
    began.resolve();
    await sleep(60_000, undefined, { signal }).finally(() => aborted.resolve());
  }, 150);
  const slot = newSlot();
  const handled = slow.handle('task', slot);
  await began.promise;
  await sleep(300);
  expect(await createProcess(async () => {}).handle('task', slot)).toMatchObject({ againAfterMs: expect.any(Number) });
  await db.taskRuns.end({ name: 'task', slot }, `process-${processes - 1}`, 'done');
  await aborted.promise;
  await handled;
});
