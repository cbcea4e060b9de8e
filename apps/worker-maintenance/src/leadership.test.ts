import { once } from 'node:events';
import type { Database } from '@aigolos/db';
import { testLog as log, waitUntil } from '@aigolos/testing';
import { expect, test } from 'vitest';
import { startLeadership } from './leadership.ts';

const free: Database['leases'] = { acquire: async () => ({ fence: 1 }), release: async () => {} };

test('what a leader does is begun again when it fails', async () => {
  let terms = 0;
  const third = Promise.withResolvers<void>();
  const leadership = startLeadership({
    leases: free,
    name: 'test',
    holder: 'me',
    log,
    leaseMs: 60,
    async lead() {
      terms += 1;
      if (terms === 3) third.resolve();
      throw new Error('told to fail');
    },
  });
  await third.promise;
  await leadership.stop();
  expect(terms).toBeGreaterThanOrEqual(3);
});

test('a leader that cannot renew stops before its lease runs out', async () => {
  let answers = true;
  const began = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number>();
  const leases = {
    ...free,
    acquire: async () => (answers ? { fence: 1 } : Promise.reject(new Error('the database is away'))),
  };
  const leadership = startLeadership({
    leases,
    name: 'test',
    holder: 'me',
    log,
    leaseMs: 500,
    async lead(signal) {
      began.resolve();
      await once(signal, 'abort');
      ended.resolve(Date.now());
    },
  });
  await began.promise;
  const lastRenewal = Date.now();
  answers = false;
  expect((await ended.promise) - lastRenewal).toBeLessThan(500);
  await leadership.stop();
});

test('a leader whose renewal hangs stops before its lease runs out', async () => {
  const hanging = Promise.withResolvers<undefined>();
  let asked = 0;
  const began = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<number>();
  const leadership = startLeadership({
    leases: { ...free, acquire: async () => (asked++ === 0 ? { fence: 1 } : hanging.promise) },
    name: 'test',
    holder: 'me',
    log,
    leaseMs: 500,
    async lead(signal) {
      began.resolve(Date.now());
      await once(signal, 'abort');
      ended.resolve(Date.now());
    },
  });
  expect((await ended.promise) - (await began.promise)).toBeLessThan(500);
  expect(leadership.role).toBe('follower');
  hanging.resolve(undefined);
  await leadership.stop();
});

test('a leader that is slow to stop holds no lease meanwhile', async () => {
  let asked = 0;
  const aborted = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  const acquired = new Set<string>();
  let phase = 'leading';
  const leadership = startLeadership({
    leases: {
      ...free,
      async acquire() {
        asked += 1;
        if (asked === 2) await aborted.promise;
        acquired.add(phase);
        return { fence: 1 };
      },
    },
    name: 'test',
    holder: 'me',
    log,
    leaseMs: 120,
    async lead(signal) {
      await once(signal, 'abort');
      if (phase !== 'leading') return;
      aborted.resolve();
      // The renewal that hung is answered first.
      await new Promise((resolve) => setImmediate(resolve));
      phase = 'stopping';
      await stopped.promise;
      phase = 'again';
    },
  });
  await aborted.promise;
  setTimeout(stopped.resolve, 200);
  await waitUntil('it leads again', () => acquired.has('again'));
  expect([...acquired]).toEqual(['leading', 'again']);
  await leadership.stop();
});

test('a leader whose lease was in other hands begins anew with the new fence, and one whose lease is stops', async () => {
  const leases: ({ fence: number } | undefined)[] = [{ fence: 1 }, { fence: 1 }, { fence: 3 }, undefined];
  const terms: { fence: number; ended: boolean }[] = [];
  const leadership = startLeadership({
    leases: { ...free, acquire: async () => (leases.length > 1 ? leases.shift() : leases[0]) },
    name: 'test',
    holder: 'me',
    log,
    leaseMs: 300,
    async lead(signal, fence) {
      expect(terms.every(({ ended }) => ended)).toBe(true);
      const term = { fence, ended: false };
      terms.push(term);
      await once(signal, 'abort');
      term.ended = true;
    },
  });
  await waitUntil('both terms have ended', () => terms.length === 2 && terms[1]?.ended);
  expect(terms.map(({ fence }) => fence)).toEqual([1, 3]);
  expect(leadership.role).toBe('follower');
  await leadership.stop();
});
