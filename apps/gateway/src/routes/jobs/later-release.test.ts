import { type JobView, JobViewSchema } from '@aigolos/contracts';
import { type DatabaseShell, openDatabaseShell, useMongo, useRedis } from '@aigolos/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHAT } from '../../../test/answers.ts';
import { type House, openHouse } from '../../../test/harness.ts';

const redis = useRedis();
const mongo = useMongo();
let house: House;
let shell: DatabaseShell;
beforeAll(async () => {
  const url = mongo.newDatabaseUrl();
  house = await openHouse(redis, { newDatabaseUrl: () => url });
  shell = openDatabaseShell(url);
});
afterAll(async () => {
  await shell.close();
  await house.close();
});

/** A job as a later version left it, which runs beside this one. */
async function laterJob(fields: object): Promise<JobView> {
  const response = await house.post('/v1/chat/completions', CHAT, { prefer: 'respond-async' });
  const job = (await response.json()) as JobView;
  await shell.run('jobs', 'updateOne', { _id: job.id }, { $set: { laterField: true, ...fields } });
  return job;
}

const ENDED = { finishedAt: new Date() };

/** What it changes of what is shown. */
const shownOf = ({ kind, status, priority }: { kind?: string; status?: string; priority?: string }) =>
  Object.fromEntries(Object.entries({ kind, status, priority }).filter(([, value]) => value !== undefined));

describe.each([
  { kind: 'dubbing' },
  { kind: 'dubbing', status: 'completed', result: { translated: 'x' }, ...ENDED },
  { status: 'paused' },
  { priority: 'urgent' },
  { status: 'failed', failure: { code: 'LATER_CODE', message: 'Too late.' }, ...ENDED },
])('a job with %o, as only a later version makes it', (fields) => {
  test('is shown by itself and in lists, and its result is no crash', async () => {
    const { id, urls } = await laterJob(fields);
    const shown = await house.call(urls.self);
    expect(shown.status).toBe(200);
    const { kind, status, priority } = JobViewSchema.parse(await shown.json());
    expect({ kind, status, priority }).toEqual({
      kind: 'chat',
      status: 'queued',
      priority: 'default',
      ...shownOf(fields),
    });
    const list = (await (await house.call('/v1/jobs?limit=1')).json()) as { data: JobView[] };
    expect(list.data).toMatchObject([{ id, kind, status }]);
    const result = await house.call(urls.result);
    expect(await result.json()).toMatchObject({ code: 'failure' in fields ? 'INTERNAL' : 'RESULT_NOT_READY' });
  });
});
