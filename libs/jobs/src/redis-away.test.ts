import { newId } from '@aigolos/contracts';
import { newJobRecord } from '@aigolos/db';
import { startRedis, useMongo, waitUntil } from '@aigolos/testing';
import { expect, test } from 'vitest';
import { ACCOUNT, createHarness } from '../test/harness.ts';

const mongo = useMongo();
const SUBMISSIONS = 20;

test.each(['is killed', 'hangs', 'refuses connections'] as const)(
  'a submission is acknowledged within 200 ms (p95) while Redis %s, and is put in line when it is back',
  async (what) => {
    const redis = await startRedis();
    const house = await createHarness(redis, mongo, { REDIS_SILENCE_MS: 140 });
    try {
      await house.submitChat();
      if (what === 'refuses connections') await redis.goDown();
      else redis.signal(what === 'hangs' ? 'SIGSTOP' : 'SIGKILL');
      const times: number[] = [];
      const ids: string[] = [];
      for (let time = 0; time < SUBMISSIONS; time += 1) {
        const began = performance.now();
        const job = await house.submitChat();
        await house.jobs.place(job);
        times.push(performance.now() - began);
        ids.push(job._id);
      }
      expect(times.toSorted((a, b) => a - b)[Math.ceil(SUBMISSIONS * 0.95) - 1]).toBeLessThan(200);
      expect((await house.jobs.get(ACCOUNT, ids[0] ?? '')).status).toBe('queued');
      if (what === 'hangs') redis.signal('SIGCONT');
      else if (what === 'is killed') await redis.restart();
      else await redis.comeBack('kept');
      const known = (id: string) => house.producer.knows({ id, kind: 'chat' }).catch(() => false);
      await waitUntil('all are in line', async () => (await Promise.all(ids.map(known))).every((is) => is));
    } finally {
      await house.close();
      await redis.kill('SIGKILL');
    }
  },
);

test('what Redis does not know is put in line in the order in which it was queued', async () => {
  const redis = await startRedis();
  const house = await createHarness(redis, mongo);
  try {
    const task = { model: 'test', messages: [], stop: [] };
    const long = Date.now() - 60_000;
    // Against the order of insertion.
    const jobs = Array.from({ length: 6 }, (_, index) =>
      newJobRecord({
        _id: newId('chat'),
        kind: 'chat',
        account: ACCOUNT,
        task,
        queuedAt: new Date(long - index * 1_000),
      }),
    );
    for (const job of jobs) await house.db.jobs.insert(job);
    await house.reconciler.sweep(new AbortController().signal);
    const places = await Promise.all(jobs.map((job) => house.jobs.place(job)));
    expect(places.map((place) => place?.ahead)).toEqual([5, 4, 3, 2, 1, 0]);
  } finally {
    await house.close();
    await redis.kill('SIGKILL');
  }
});
