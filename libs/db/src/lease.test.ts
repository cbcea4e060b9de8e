import { setTimeout as sleep } from 'node:timers/promises';
import { useMongo } from '@aigolos/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from './index.ts';

const mongo = useMongo();
let db: Database;
beforeEach(async () => {
  db = await openDatabase(mongo.newDatabaseUrl());
  await db.prepare();
});
afterEach(() => db.close());

describe('leases', () => {
  test('one holder at a time; a lease that ran out changes hands with a higher fence', async () => {
    expect(await db.leases.acquire('leader', 'a', 60_000)).toEqual({ fence: 1 });
    expect(await db.leases.acquire('leader', 'b', 60_000)).toBeUndefined();
    expect(await db.leases.acquire('leader', 'a', 30)).toEqual({ fence: 1 });
    await sleep(40);
    const rivals = await Promise.all(['b', 'c', 'd'].map((holder) => db.leases.acquire('leader', holder, 5_000)));
    expect(rivals.filter(Boolean)).toEqual([{ fence: 2 }]);
  });

  test('a released lease is free at once', async () => {
    await db.leases.acquire('leader', 'a', 60_000);
    await db.leases.release('leader', 'a');
    expect(await db.leases.acquire('leader', 'b', 60_000)).toEqual({ fence: 2 });
  });
});

describe('runs of scheduled tasks', () => {
  const run = { name: 'cleanup', slot: new Date('2026-01-01T03:30:00Z') };
  const by = (holder: string, leaseMs = 10_000) => ({ holder, leaseMs });

  test('of many who ask for a due time one gets it, and nobody once it is over', async () => {
    const claims = await Promise.all(['a', 'b', 'c', 'd'].map((holder) => db.taskRuns.claim(run, by(holder))));
    expect(claims.filter(({ outcome }) => outcome === 'claimed')).toEqual([{ outcome: 'claimed', attempt: 1 }]);
    const holder = ['a', 'b', 'c', 'd'][claims.findIndex(({ outcome }) => outcome === 'claimed')] ?? '';
    await db.taskRuns.end(run, holder, 'done');
    expect(await db.taskRuns.claim(run, by('e'))).toEqual({ outcome: 'over' });
    expect(await db.taskRuns.claim({ ...run, slot: new Date() }, by('e'))).toMatchObject({ outcome: 'claimed' });
  });

  test('one whose runner died is taken up again, and the dead one cannot end it any more', async () => {
    await db.taskRuns.claim(run, by('dead', 30));
    await sleep(40);
    expect(await db.taskRuns.claim(run, by('alive'))).toEqual({ outcome: 'claimed', attempt: 2 });
    expect(await db.taskRuns.renew(run, by('dead'))).toBe(false);
    await db.taskRuns.end(run, 'dead', 'done');
    expect(await db.taskRuns.claim(run, by('other'))).toMatchObject({ outcome: 'held' });
    await db.taskRuns.end(run, 'alive', 'again');
    expect(await db.taskRuns.claim(run, by('other'))).toEqual({ outcome: 'claimed', attempt: 3 });
  });
});
