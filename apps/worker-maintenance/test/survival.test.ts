import { type AppProcess, waitUntil } from '@aigolos/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Maintenance, startMaintenance } from './maintenance.ts';

const TAKE_OVER_MS = 10_000;

let at: Maintenance;
let leader: AppProcess;
let follower: AppProcess;
beforeAll(async () => {
  at = await startMaintenance({ keptChanges: 500 });
  await findRoles(await Promise.all([at.start(), at.start()]));
});
afterAll(() => at?.close());

const isWatching = async (app: AppProcess) => (await at.status(app)).reactions.state === 'watching';
async function findRoles(apps: AppProcess[]): Promise<void> {
  await waitUntil('one of them watches', async () => {
    const watching = await Promise.all(apps.map(isWatching));
    const [first, second] = watching[1] ? apps.toReversed() : apps;
    if (first && second) [leader, follower] = [first, second];
    return watching.includes(true);
  });
}
const reacted = (app: AppProcess) => at.metric(app, 'aigolos_reactions_total', 'reaction="speech_deleted"');

test('of two processes one leads; each change has its effect once, and both are ready', async () => {
  const ids = await at.insertRecords(30);
  await at.shell.run('jobs', 'deleteMany', {});
  await at.untilFilesAreGone(ids, 5_000);
  await waitUntil('all effects are counted', async () => (await reacted(leader)) + (await reacted(follower)) >= 30);
  expect([await reacted(leader), await reacted(follower)]).toEqual([30, 0]);
  const leading = await at.status(leader);
  expect(leading).toMatchObject({ ready: true, role: 'leader', checks: { reactions: 'ok' } });
  expect(leading.reactions.lastEventAgeSeconds.speech_deleted).toBeLessThan(5);
  expect(await at.status(follower)).toMatchObject({ ready: true, role: 'follower' });
});

test('the database hangs, dies and comes back: the leader says for how long it has heard nothing, and then reacts again', async () => {
  const ids = await at.insertRecords(30);
  at.mongo.signal('SIGSTOP');
  await waitUntil('it says so', async () => (await at.status(leader)).reactions.silentForSeconds > 1);
  await at.mongo.restart();
  await at.shell.run('jobs', 'deleteMany', {});
  await at.untilFilesAreGone(ids, 20_000);
  await findRoles([leader, follower]);
});

test('the leader is killed between changes and their effects: the other takes over within ten seconds, from the saved place', async () => {
  const ids = await at.insertRecords(30);
  const before = await reacted(follower);
  leader.signal('SIGSTOP');
  await at.shell.run('jobs', 'deleteMany', {});
  const killedAt = Date.now();
  await leader.end('SIGKILL');
  expect((await at.recordsWithFiles()).toSorted()).toEqual(ids.toSorted());
  await at.untilFilesAreGone(ids, TAKE_OVER_MS);
  expect(Date.now() - killedAt).toBeLessThan(TAKE_OVER_MS);
  expect(await at.status(follower)).toMatchObject({ role: 'leader' });
  await waitUntil('all effects are counted', async () => (await reacted(follower)) >= before + 30);
  expect(await at.metric(follower, 'aigolos_change_history_lost_total')).toBe(0);
});

test('the place is too old: a sweep finds what the changes would have told, and the new ones are reacted to', async () => {
  const ids = await at.insertRecords(30);
  await follower.end('SIGTERM');
  await at.shell.run('jobs', 'deleteMany', {});
  await at.shell.run(
    'models',
    'insertMany',
    Array.from({ length: 1_100 }, (_, n) => ({ _id: `forgotten-${n}` })),
  );
  // What a sweep finds is mended by the next one: the leader's first and the one for the lost history.
  const app = await at.start({ CONSISTENCY_GRACE_MS: '0' });
  await waitUntil('it watches', () => isWatching(app));
  expect(await at.metric(app, 'aigolos_change_history_lost_total')).toBe(1);
  await at.untilFilesAreGone(ids);
  const later = await at.insertRecords(1);
  await at.shell.run('jobs', 'deleteMany', {});
  await at.untilFilesAreGone(later);
  await waitUntil('the effect is counted', async () => (await reacted(app)) === 1);
});
