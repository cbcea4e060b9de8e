import { once } from 'node:events';
import type { Database } from '@aigolos/db';
import { createLogger } from '@aigolos/runtime';
import { expect, test } from 'vitest';
import { startLeadership } from './leadership.ts';

const log = createLogger({ service: 'test', level: 'silent' });
const free: Database['leases'] = { acquire: async () => ({ fence: 1 }), release: async () => {} };
const timing = { leaseMs: 60, renewMs: 10 };

test('what a leader does is begun again when it fails', async () => {
  let terms = 0;
  const third = Promise.withResolvers<void>();
  const leadership = startLeadership({
    leases: free,
    name: 'test',
    holder: 'me',
    log,
    timing,
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
    timing: { leaseMs: 500, renewMs: 20 },
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
