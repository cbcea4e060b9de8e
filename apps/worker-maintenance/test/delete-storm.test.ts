import { testConfig, waitUntil } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Maintenance, startMaintenance } from './maintenance.ts';

/** The full size takes more than a minute. */
const RECORDS = testConfig.TEST_STORM ? 5_000 : 1_500;
const DELETED_AT_ONCE = RECORDS / 20;
/** At how many remaining files the reactors are killed. */
const KILLED_AT = [0.8, 0.5, 0.2].map((part) => part * RECORDS);

let at: Maintenance;
beforeAll(async () => {
  at = await startMaintenance();
});
afterAll(() => at?.close());

test(`${RECORDS} records are deleted while the reactors are killed three times: no file is left behind, without any sweep`, async () => {
  const ids = await at.insertRecords(RECORDS);
  const left = async () => (await at.recordsWithFiles()).length;
  expect(await left()).toBe(RECORDS);
  const start = () => at.start({ LEADER_LEASE_MS: '2000' });
  let app = await start();
  await waitUntil('it watches', async () => (await at.status(app)).reactions.state === 'watching');

  const deleting = deleteAll(ids);
  for (const remaining of KILLED_AT) {
    await waitUntil(`at most ${remaining} are left`, async () => (await left()) <= remaining, 60_000);
    await app.end('SIGKILL');
    expect(await left()).toBeGreaterThan(0);
    app = await start();
  }
  await deleting;
  await waitUntil('no file is left', async () => (await left()) === 0, 60_000);
  expect(await at.metric(app, 'aigolos_change_history_lost_total')).toBe(0);
}, 120_000);

async function deleteAll(ids: string[]): Promise<void> {
  for (let start = 0; start < ids.length; start += DELETED_AT_ONCE) {
    const batch = ids.slice(start, start + DELETED_AT_ONCE);
    await at.shell.run('jobs', 'deleteMany', { _id: { $in: batch } });
  }
}
